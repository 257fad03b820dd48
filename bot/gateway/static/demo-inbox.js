/** The demo's inbox: mails that the service would send, looked at in a drawer, so that nobody has to find a folder. */

import { el } from "./dom.js";

const SEEN_KEY = "kasuki-demo:mail-seen";
const LOOK_EVERY_MS = 3000;
const LINK = /https?:\/\/[^\s<>"]+[^\s<>".,;:!?)]/g;

const $ = (id) => document.getElementById(id);
const inbox = $("inbox");
let mails = [];
let seenAt = remembered();
let openedBy = null;
let drawn = "";

function remembered() {
  try {
    return Number(localStorage.getItem(SEEN_KEY)) || null;
  } catch {
    return null;
  }
}

async function look() {
  if (document.hidden) return;
  try {
    const response = await fetch("/demo/mail");
    if (!response.ok) return;
    const known = new Set(mails.map(({ id }) => id));
    const isFirst = $("inbox-button").hidden;
    mails = (await response.json()).mails;
    $("inbox-button").hidden = false;
    // What was there before the first visit is no news.
    seenAt ??= Math.max(0, ...mails.map(({ at }) => at));
    const news = mails.filter(({ id }) => !known.has(id));
    if (news.length && !isFirst) $("inbox-news").textContent = `New mail in the demo's inbox: ${news[0].subject}`;
    draw();
  } catch { /* the service is away for a moment: the next look finds it */ }
}

function draw() {
  if (!inbox.hidden) markSeen();
  const unread = mails.filter(({ at }) => at > seenAt).length;
  $("inbox-count").hidden = unread === 0;
  $("inbox-count").textContent = unread === 20 ? "20+" : String(unread);
  $("inbox-button").setAttribute("aria-label", unread ? `Inbox (demo), ${unread} new` : "Inbox (demo)");
  const now = mails.map(({ id }) => id).join();
  if (now === drawn) return;
  const open = new Set([...inbox.querySelectorAll("details[open]")].map(({ dataset }) => dataset.id));
  const hadMails = drawn !== "";
  drawn = now;
  $("inbox-mails").replaceChildren(
    ...mails.map((mail, place) => entry(mail, open.has(mail.id) || (place === 0 && (hadMails || mails.length === 1)))),
    ...(mails.length ? [] : [el("li", { class: "empty" }, "Nothing yet. Ask the assistant for your points as a visitor: it mails a code.")]),
  );
}

function entry({ id, to, subject, at, text }, isOpen) {
  const time = new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const summary = el("summary", {}, el("b", {}, subject), el("small", {}, `to ${to} · ${time}`));
  const words = el("div", { class: "text" }, ...withLinks(text.trim()));
  return el("li", {}, el("details", { "data-id": id, open: isOpen ? "" : null }, summary, words));
}

/** The text with its addresses as links; all of it is text, and none of it markup. */
function withLinks(text) {
  const parts = [];
  let from = 0;
  for (const found of text.matchAll(LINK)) {
    const link = el("a", { href: found[0], target: "_blank", rel: "noopener noreferrer" }, found[0]);
    parts.push(text.slice(from, found.index), link);
    from = found.index + found[0].length;
  }
  return [...parts, text.slice(from)];
}

function markSeen() {
  seenAt = Math.max(seenAt, ...mails.map(({ at }) => at));
  try {
    localStorage.setItem(SEEN_KEY, String(seenAt));
  } catch { /* storage is blocked: it counts as new again on the next page */ }
}

function show(isOpen) {
  inbox.hidden = !isOpen;
  $("inbox-button").setAttribute("aria-expanded", String(isOpen));
  if (isOpen) {
    openedBy = document.activeElement;
    inbox.focus();
  } else {
    (openedBy ?? $("inbox-button")).focus();
  }
  draw();
}

$("inbox-button").addEventListener("click", () => show(inbox.hidden));
$("inbox-close").addEventListener("click", () => show(false));
inbox.addEventListener("keydown", (event) => {
  if (event.key === "Escape") show(false);
});
document.addEventListener("visibilitychange", look);
setInterval(look, LOOK_EVERY_MS);
look();
