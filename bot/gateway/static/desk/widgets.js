/** The parts that every screen is made of: buttons, chips, dialogs, short messages. */

import { el } from "../dom.js";
import { icon } from "./icons.js";

/** A button with words; `run` is called with the click. */
export function button(label, run, { kind = "", test = null, key = null, title = null, part = null } = {}) {
  const shortcut = key ? el("kbd", { "aria-hidden": "true" }, key.replace("Shift+", "⇧")) : "";
  const node = el("button", { type: "button", class: `button ${kind}`, "data-testid": test, title, "data-part": part }, label, shortcut);
  if (key) node.setAttribute("aria-keyshortcuts", key);
  node.addEventListener("click", run);
  return node;
}

/** A button with a picture only, and its name for everybody who does not see it. */
export function iconButton(name, label, run, { test = null, pressed = null } = {}) {
  const node = el("button", { type: "button", class: "icon-button", "aria-label": label, title: label, "data-testid": test, "aria-pressed": pressed }, icon(name));
  node.addEventListener("click", run);
  return node;
}

/** Words in a small frame. `kind` gives the colour. */
export const chip = (text, kind = "", more = {}) => el("span", { class: `chip ${kind}`, ...more }, el("bdi", {}, text));

/** Something people wrote, kept apart from what stands around it, whichever way it is written. */
export const said = (text, attributes = {}) => el("bdi", attributes, String(text ?? ""));

let fields = 0;

/** A field with its label. `control` is an element; the id is made here. */
export function field(label, control, hint = "") {
  fields += 1;
  control.id = `field-${fields}`;
  const parts = [el("label", { for: control.id }, label), control];
  if (hint) {
    control.setAttribute("aria-describedby", `${control.id}-hint`);
    parts.push(el("p", { class: "hint", id: `${control.id}-hint` }, hint));
  }
  return el("div", { class: "field" }, ...parts);
}

export const input = (attributes = {}) => el("input", { type: "text", autocomplete: "off", ...attributes });
export const area = (attributes = {}, value = "") => el("textarea", { rows: 3, ...attributes }, value);

/** A list to pick from: `options` are [value, words]. */
export function select(options, value = null, attributes = {}) {
  const node = el("select", attributes, ...options.map(([key, text]) => el("option", { value: key }, text)));
  if (value !== null) node.value = value;
  return node;
}

/**
 * Ask in a dialog. `submit()` does it: what it throws is shown in the dialog, which stays; null for a dialog that only shows.
 * Resolves when the dialog is closed, to whether it was done.
 */
export function ask({ title, body, submit = null, label = "Save", kind = "primary", test = "dialog", wide = false }) {
  return new Promise((resolve) => {
    const problem = el("p", { class: "problem", role: "alert", hidden: "" });
    const go = submit ? el("button", { type: "submit", class: `button ${kind}`, "data-testid": `${test}-ok` }, label) : "";
    const leave = button(submit ? "Cancel" : "Close", () => dialog.close(), { test: `${test}-cancel` });
    const heading = el("h2", { id: `dialog-title-${(fields += 1)}` }, title);
    const form = el("form", { class: "form", method: "dialog" }, heading, ...body, problem, el("div", { class: "dialog-actions" }, leave, go));
    const dialog = el("dialog", { class: wide ? "dialog wide" : "dialog", "aria-labelledby": heading.id, "data-testid": test }, form);
    let done = false;
    let isBusy = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      // Not disabled meanwhile: that would take the focus away from it.
      if (!submit || isBusy) return;
      isBusy = true;
      problem.hidden = true;
      try {
        await submit();
        done = true;
        dialog.close();
      } catch (error) {
        problem.textContent = error.message;
        problem.hidden = false;
      } finally {
        isBusy = false;
      }
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(done);
    });
    document.getElementById("dialogs").append(dialog);
    dialog.showModal();
  });
}

/** Something to say to screen readers only. */
export function announce(text) {
  const line = el("p", {}, text);
  document.getElementById("announcer").append(line);
  setTimeout(() => line.remove(), 5000);
}

/** A short message in the corner, spoken as well; `action` is {label, run}. */
export function toast(text, { kind = "", action = null, lasts = 7000 } = {}) {
  const root = document.getElementById("toasts");
  const line = el("div", { class: `toast ${kind}`, "data-testid": "toast" }, el("span", {}, text));
  const leave = () => line.remove();
  if (action) {
    const act = button(action.label, () => (leave(), action.run()), { kind: "link-button" });
    line.append(act);
  }
  line.append(iconButton("close", "Dismiss", leave));
  root.append(line);
  while (root.children.length > 3) root.firstChild.remove();
  announce(text);
  setTimeout(leave, kind === "bad" ? lasts * 2 : lasts);
}

/** Do something that may be refused: says whether it was done, and shows why not. */
export async function attempt(run) {
  try {
    await run();
    return true;
  } catch (error) {
    toast(error.message, { kind: "bad" });
    if (!error.code) throw error; // a fault of ours, not the server's refusal
    return false;
  }
}
