/** Shortcuts: single keys, off while somebody writes, even in the wrong place, and off altogether for those who want none. */

import { el } from "../dom.js";
import { Shelf } from "../storage.js";
import { ask } from "./widgets.js";

const off = new Shelf("local", "kasuki-desk:no-shortcuts");
// Letters that follow each other faster than this are a word, written where nothing is to be written.
const WORD_WITHIN_MS = 400;

/**
 * Listen for `keys`: {key, about, run, waits, moves} in groups. A `run` that returns false lets the key be; with `waits`, it returns
 * what is to be done if no other letter follows. What `moves` begins no word. `isLoading()` says whether there is nothing to act on.
 */
export function listen(groups, isLoading) {
  let last = { key: "", at: -Infinity };
  let waiting = { key: "" };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (isBusyElsewhere(event.target)) return clearTimeout(waiting.timer);
    if (off.read() && event.key !== "?") return;
    const isLetter = /^\p{L}$/u.test(event.key);
    const found = groups.flatMap(([, keys]) => keys).find(({ key, also }) => key === nameOf(event) || also === event.key);
    const now = performance.now();
    const isWord = isLetter && event.key !== last.key && now - last.at < WORD_WITHIN_MS;
    if (isLetter && !found?.moves) last = { key: event.key, at: now };
    if (isWord) return clearTimeout(waiting.timer);
    if (!found || (found.waits && (event.repeat || isLoading()))) return;
    const done = found.run();
    if (done === false) return;
    event.preventDefault();
    if (!found.waits) return;
    clearTimeout(waiting.timer);
    waiting = { timer: setTimeout(() => isBusyElsewhere(document.activeElement) || isLoading() || done(), WORD_WITHIN_MS) };
  });
}

/** A key as it is listed; with Shift only where that alone makes it another: a capital by Caps Lock is not meant. */
function nameOf({ key, shiftKey }) {
  if (!/^\p{L}$/u.test(key)) return key;
  return shiftKey ? `Shift+${key.toUpperCase()}` : key.toLowerCase();
}

const isBusyElsewhere = (target) => document.querySelector("dialog[open]") !== null || isWriting(target);

/** The list of all shortcuts, and the switch that turns them off. */
export function showHelp(groups) {
  const keep = el("input", { type: "checkbox", id: "shortcuts-on", "data-testid": "shortcuts-on" });
  keep.checked = !off.read();
  keep.addEventListener("change", () => (keep.checked ? off.remove() : off.write(true)));
  const tables = groups.map(([title, keys]) =>
    el("section", {}, el("h3", {}, title), el("dl", { class: "keys" }, ...keys.flatMap(({ key, also, about }) => [el("dt", {}, ...key.split("+").map((one) => el("kbd", {}, one)), also ? " " : "", also ? el("kbd", {}, SIGNS[also] ?? also) : ""), el("dd", {}, about)]))),
  );
  const writing = el("section", {}, el("h3", {}, "While writing"), el("dl", { class: "keys" }, ...[["Enter", "Send"], ["Shift Enter", "New line"], ["/", "Canned replies"], ["Esc", "Leave the box"]].flatMap(([key, about]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, about)])));
  return ask({
    title: "Shortcuts",
    body: [el("div", { class: "key-columns" }, ...tables, writing), el("p", { class: "switch-line" }, keep, el("label", { for: keep.id }, "Use these shortcuts"))],
    test: "help",
    wide: true,
  });
}

const SIGNS = { ArrowDown: "↓", ArrowUp: "↑" };

function isWriting(target) {
  return target instanceof Element && target.matches("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]");
}
