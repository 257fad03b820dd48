/** Shortcuts: single keys, off while somebody writes, and off altogether for those who would rather not have them. */

import { el } from "../dom.js";
import { Shelf } from "../storage.js";
import { ask } from "./widgets.js";

const off = new Shelf("local", "kasuki-desk:no-shortcuts");

/** Listen for `keys`: {key, about, run} in groups; a `run` that returns false lets the key be. */
export function listen(groups) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]") || isWriting(event.target)) return;
    if (off.read() && event.key !== "?") return;
    const found = groups.flatMap(([, keys]) => keys).find(({ key, also }) => key === event.key || also === event.key);
    if (!found || found.run() === false) return;
    event.preventDefault();
  });
}

/** The list of all shortcuts, and the switch that turns them off. */
export function showHelp(groups) {
  const keep = el("input", { type: "checkbox", id: "shortcuts-on", "data-testid": "shortcuts-on" });
  keep.checked = !off.read();
  keep.addEventListener("change", () => (keep.checked ? off.remove() : off.write(true)));
  const tables = groups.map(([title, keys]) =>
    el("section", {}, el("h3", {}, title), el("dl", { class: "keys" }, ...keys.flatMap(({ key, also, about }) => [el("dt", {}, el("kbd", {}, key), also ? " " : "", also ? el("kbd", {}, SIGNS[also] ?? also) : ""), el("dd", {}, about)]))),
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
