/** Above the conversation: who it is with, where it stands, and who else is looking. */

import { el } from "../dom.js";
import { reasonOf, stageOf } from "./rows.js";
import { chip, said } from "./widgets.js";
import { nameOf, readable, words } from "./words.js";

const $ = (id) => document.getElementById(id);

export function drawHead(row, me) {
  $("thread-head").hidden = false;
  $("thread-name").replaceChildren(said(nameOf(row.customer)));
  $("thread-facts").replaceChildren(...facts(row, me));
}

export function hideHead() {
  for (const part of ["thread-head", "viewers"]) $(part).hidden = true;
}

function facts(row, me) {
  const kind = { queue: "person", agent: "good" }[row.stage] ?? "";
  const shown = [chip(stageOf(row, me), kind, { "data-testid": "stage" })];
  if (row.customer?.verified) shown.push(chip("Verified", "good"));
  if (row.priority > 0) shown.push(chip("Urgent", "bad"));
  if (row.blocked) shown.push(chip("Blocked", "bad"));
  if (row.signed_out) shown.push(chip("Logged out", "bad", { title: "Whoever is there now is not who wrote this" }));
  if (row.reason && row.stage !== "bot") shown.push(el("span", { class: "extra" }, reasonOf(row.reason)));
  if (row.topic) shown.push(el("span", { class: "extra" }, said(readable(row.topic))));
  shown.push(el("span", {}, words.channels[row.channel] ?? readable(row.channel)));
  for (const label of row.labels ?? []) shown.push(chip(label, "label extra"));
  return shown;
}

/** Why one may not reply. */
export function whyNot(row) {
  if (row.blocked) return "It is blocked: nobody answers here.";
  if (row.signed_out && row.stage !== "agent") return "They have logged out here, and would not see what you write.";
  if (row.stage === "queue" || row.stage === "callback") return "Claim it to reply.";
  if (row.stage === "agent") return `${row.agent?.name ?? "Somebody else"} has this conversation.`;
  return row.stage === "bot" ? "The assistant has it: take it over to reply." : "It is resolved: reopen it to reply.";
}

export function drawViewers(viewers, me) {
  const others = viewers.filter(({ id }) => id !== me.id).map(({ name }) => name);
  const list = new Intl.ListFormat(undefined, { type: "conjunction" }).format(others);
  $("viewers").textContent = others.length ? `${list} ${others.length === 1 ? "is" : "are"} here, too` : "";
  $("viewers").hidden = others.length === 0;
}
