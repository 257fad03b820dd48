/** The lines of a transcript: messages, notes, steps, and what has not been confirmed yet. */

import { textBeside } from "../cards.js";
import { el, linkified, ownAddress, spoken } from "../dom.js";
import { drawCards } from "./cards.js";
import { isFileAlone, sizeOf } from "./files.js";
import { icon } from "./icons.js";
import { momentOf, timeOf } from "./times.js";
import { button, chip, said, select } from "./widgets.js";
import { percent, readable } from "./words.js";

const STATES = { delivered: "Sent", read: "Read" };

export function drawMessage(message, { grouped, explained, state, name, wishes, toggle, on }) {
  const { author, seq, text, at } = message;
  const node = el("article", { class: `line from-${author}`, "data-testid": "message", "data-author": author, "data-seq": seq });
  node.classList.toggle("grouped", grouped);
  if (author === "system") {
    node.append(el("p", { class: "notice" }, ...linkified(text), el("time", { datetime: at, title: momentOf(at) }, timeOf(at))));
    if (message.choices?.length) node.append(choices(message));
    return node;
  }
  node.append(el("p", { class: "sender", "aria-hidden": "true" }, said(name)));
  const bubble = el("div", { class: "bubble", dir: "auto" }, spoken(`${name}: `), ...linkified(textBeside(message.cards, text)));
  // Told in words for those who do not see it, and shown to everybody else.
  if (isFileAlone(message)) bubble.classList.add("visually-hidden");
  node.append(bubble);
  const file = message.file ? on.drawFile(message.file) : null;
  for (const extra of [picture(message), file, drawCards(message), choices(message)]) if (extra) node.append(extra);
  node.append(meta(message, { state, explained, toggle }));
  if (explained) node.append(understanding(message, wishes, on));
  return node;
}

function meta({ author, at, helpful, understood }, { state, explained, toggle }) {
  const node = el("p", { class: "meta" }, el("time", { datetime: at, title: momentOf(at) }, timeOf(at)));
  if (typeof helpful === "boolean") node.append(thumb(helpful));
  if (state) node.append(el("span", { class: `state ${state}`, "data-testid": "state" }, STATES[state]));
  if (author === "customer" && understood) {
    const open = el("button", { type: "button", class: "why", "aria-expanded": String(explained), "data-part": "why", "data-testid": "understood-toggle" });
    open.append(icon("spark"), "What the bot understood");
    open.addEventListener("click", toggle);
    node.append(open);
  }
  return node;
}

/** What the customer thought of the assistant's answer. */
function thumb(helpful) {
  const words = helpful ? "Helped" : "Did not help";
  return el("span", { class: `thumb ${helpful ? "up" : "down"}`, title: "What the customer said of this answer", "data-testid": "helpful" }, icon(helpful ? "up" : "down"), words);
}

/** What the assistant took the message for, and a way to put it right. */
function understanding(message, wishes, on) {
  const { intent, confidence } = message.understood;
  const sure = typeof confidence === "number" ? ` · ${percent(confidence)} sure` : "";
  const list = select([["", "Pick the right wish…"], ...wishes.map((wish) => [wish, readable(wish)])], "", { "aria-label": "The right wish", "data-part": "wish", "data-testid": "teach-wish" });
  const teach = button("Teach", () => list.value && on.teach(message, list.value), { kind: "small", test: "teach", part: "teach" });
  const draft = button("Note as an unanswered question", () => on.draft(message.text), { kind: "small plain", test: "draft-question", part: "draft" });
  const taught = message.taught ? el("p", {}, `Marked as: ${readable(message.taught)}`) : "";
  return el("div", { class: "why-box", "data-testid": "understood" }, el("p", {}, el("strong", {}, readable(intent) || "Nothing"), sure), taught, el("div", { class: "why-teach" }, list, teach), draft);
}

function choices({ choices: offered, text, author }) {
  if (!offered?.length) return null;
  const label = author === "bot" || author === "system" ? "Offered as buttons" : "Choices";
  return el("p", { class: "choices", "data-testid": "choices" }, spoken(`${label}: `), ...offered.map(({ title }) => chip(title, "choice")));
}

function picture({ image }) {
  if (!image) return null;
  const src = ownAddress(image.url);
  const caption = el("p", { class: "quiet" }, said(`Picture: ${image.alt || "without words"}`));
  if (!src) return caption;
  const img = el("img", { class: "picture", src, alt: image.alt ?? "", width: 160, height: 160, loading: "lazy" });
  img.addEventListener("error", () => img.replaceWith(caption));
  return img;
}

export function drawNote({ agent, text, at }) {
  const who = agent?.name ?? "Somebody who has left";
  return el(
    "article",
    { class: "line note", "data-testid": "note" },
    el("p", { class: "sender" }, said(who), " · note, only for the team"),
    el("div", { class: "bubble", dir: "auto" }, ...linkified(text)),
    el("p", { class: "meta" }, el("time", { datetime: at, title: momentOf(at) }, timeOf(at))),
  );
}

export function drawStep({ text, reason }, at) {
  const because = reason ? ` · ${reason}` : "";
  return el("article", { class: "line from-system", "data-testid": "step" }, el("p", { class: "notice" }, text + because, el("time", { datetime: at, title: momentOf(at) }, timeOf(at))));
}

export function drawPending(entry, on) {
  const isFile = entry.kind === "file";
  const node = el("article", { class: `line from-agent ${entry.failed ? "failed" : "sending"}`, "data-testid": "pending", "data-state": entry.failed ? "failed" : "sending" });
  if (entry.kind === "note") node.classList.add("note");
  if (isFile) node.append(el("p", { class: "file" }, icon("file"), said(entry.file.name), el("span", { class: "quiet" }, sizeOf(entry.file.size))));
  else node.append(el("div", { class: "bubble", dir: "auto" }, ...linkified(entry.text)));
  const meta = el("p", { class: "meta" }, el("span", { class: "state" }, entry.failed ? `Not sent. ${entry.reason}` : "Sending…"));
  if (entry.failed) {
    if (!entry.isFinal) meta.append(button("Try again", () => on.retry(entry), { kind: "link-button", test: "retry", part: "retry" }));
    meta.append(button(isFile ? "Dismiss" : "Edit", () => on.discard(entry), { kind: "link-button", test: isFile ? "dismiss-file" : "edit-failed", part: "edit" }));
  } else if (isFile) {
    const bar = el("progress", { max: 1, value: on.partOf(entry), "aria-label": `Sending ${entry.file.name}`, "data-upload": entry.client_id });
    meta.append(bar, button("Cancel", () => on.discard(entry), { kind: "link-button", test: "cancel-file", part: "cancel" }));
  }
  node.append(meta);
  return node;
}
