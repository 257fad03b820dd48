/** A conversation as a line of the list on the left. */

import { el, spoken } from "../dom.js";
import { icon } from "./icons.js";
import { briefly, now, soon, tick } from "./times.js";
import { chip, said } from "./widgets.js";
import { initials, nameOf, readable, words } from "./words.js";

/** The line as an item for showItems(). `where` is the tab; `open(id)` is called when it is picked. */
export function rowItem(row, { open, ...look }) {
  const update = (item) => fill(item, row, look);
  return { key: row.id, sign: JSON.stringify([row, look, rests(row), isLate(row)]), draw: () => update(frame(row.id, open)), update };
}

function frame(id, open) {
  const pick = el("button", { type: "button", class: "row-open", "data-part": "row" });
  pick.addEventListener("click", () => open(id));
  return el("li", { class: "row", "data-testid": "conversation-row", "data-id": id }, pick);
}

function fill(item, row, { where, isOpen, isFresh, hasDraft }) {
  const name = nameOf(row.customer);
  const unread = row.unread > 0 ? el("span", { class: "unread" }, String(row.unread), spoken(" unread")) : "";
  const pick = item.firstChild;
  if (isOpen) pick.setAttribute("aria-current", "true");
  else pick.removeAttribute("aria-current");
  pick.replaceChildren(
    el("span", { class: `avatar hue-${hueOf(row.id)}`, "aria-hidden": "true" }, initials(name)),
    el(
      "span",
      { class: "row-text" },
      el("span", { class: "row-top" }, said(name, { class: "row-name" }), row.customer?.verified ? verified() : "", when(row, where)),
      el("span", { class: "row-last" }, hasDraft ? el("em", { class: "draft" }, "Draft ") : "", said(lastWords(row)), unread),
      el("span", { class: "row-chips" }, isFresh ? chip("New", "person") : "", ...chips(row, where)),
    ),
  );
  item.classList.toggle("offered", Boolean(row.offered_to_me));
  tick(item);
  return item;
}

const verified = () => el("span", { class: "verified", title: "Proven who they are" }, icon("shield"), spoken("verified"));

function when(row, where) {
  if (where === "queue" && row.waiting_since) {
    return el("span", { class: "row-when waiting" }, icon("clock"), spoken("waiting for "), el("span", { "data-since": row.waiting_since }));
  }
  return el("time", { class: "row-when", datetime: row.last?.at }, briefly(row.last?.at));
}

function lastWords({ last }) {
  if (!last) return "";
  const who = last.author === "customer" ? "" : `${words.authors[last.author] ?? last.author}: `;
  return who + last.text.replace(/\s+/g, " ");
}

function chips(row, where) {
  const shown = [];
  if (row.offered_to_me) shown.push(chip("Offered to you", "person"));
  if (row.priority > 0) shown.push(chip("Urgent", "bad"));
  if (where === "queue" && row.position) shown.push(chip(`No. ${row.position}`));
  if (row.due_at && row.stage === "callback") {
    const late = isLate(row);
    shown.push(chip(`${late ? "Was due" : "Due"} ${soon(row.due_at)}`, late ? "bad" : "person"));
  }
  if (rests(row)) shown.push(chip(`Snoozed until ${soon(row.snoozed_until)}`));
  if (where === "bot" && row.stage === "resolved") shown.push(chip("Resolved"));
  if (row.blocked) shown.push(chip("Blocked", "bad"));
  if (where === "search") shown.push(chip(stageOf(row), row.stage === "queue" ? "person" : ""));
  if (row.reason && (where === "queue" || where === "callback")) shown.push(chip(reasonOf(row.reason)));
  if (row.topic) shown.push(chip(readable(row.topic)));
  if (row.language && !["en", "english"].includes(row.language.toLowerCase())) shown.push(chip(row.language));
  for (const label of row.labels ?? []) shown.push(chip(label, "label"));
  if (row.channel !== "web") shown.push(chip(words.channels[row.channel] ?? readable(row.channel)));
  return shown;
}

/** Where a conversation stands, in words. */
export function stageOf(row, me = null) {
  if (row.stage === "agent" && row.agent) return me && row.agent.id === me.id ? "With you" : `With ${row.agent.name}`;
  return words.stages[row.stage] ?? readable(row.stage);
}

export const reasonOf = (reason) => words.reasons[reason] ?? readable(reason);

/** A colour for a conversation that stays the same: it helps to find it again. */
export function hueOf(id) {
  let sum = 0;
  for (const letter of String(id)) sum = (sum * 31 + letter.codePointAt(0)) % 997;
  return sum % 6;
}

/** Whether it was put off until later. */
export const rests = (row) => Boolean(row.snoozed_until) && Date.parse(row.snoozed_until) > now();

/** Whether somebody should have been called by now. */
export const isLate = (row) => Boolean(row.due_at) && Date.parse(row.due_at) < now();

/** The rows for "Mine": what rests until later comes last. */
export function restingLast(rows) {
  return [...rows.filter((row) => !rests(row)), ...rows.filter(rests)];
}
