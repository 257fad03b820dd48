/** The box at the bottom: replies with files, and notes; drafts that stay, and canned replies behind a slash. */

import { el } from "../dom.js";
import { Attachments } from "./attach.js";
import { icon } from "./icons.js";
import { announce, said, toast } from "./widgets.js";
import { count } from "./words.js";

const $ = (id) => document.getElementById(id);
const MOST_CHARACTERS = 2000;
const TYPING_EVERY_MS = 3000;
const SLASH = /(^|\s)\/([\p{L}\p{N}_-]*)$/u;
const MOST_SHOWN = 8;
const PLACEHOLDER = /\{([\p{L}_ ]{1,40})\}/u;

export class ReplyBox {
  /** What goes with the reply. */
  attachments = new Attachments({ whyNot: () => this.#whyNot(), begin: () => this.choose("reply") });
  #on;
  #drafts;
  #conversation = null;
  #mayReply = false;
  #why = "";
  #canned = [];
  #found = [];
  #picked = 0;
  #typingSentAt = 0;
  #questioned = null; // what was not sent because something was left open in it
  #wanted = {}; // what was last chosen to write, by conversation

  /**
   * `on` has send(conversation, kind, text), sendFile(conversation, file), typing(conversation), values() for the placeholders,
   * and changed() when a draft comes or goes.
   */
  constructor({ drafts, on }) {
    this.#drafts = drafts;
    this.#on = on;
    const text = $("text");
    $("open-canned").append(icon("bolt"));
    $("open-canned").addEventListener("click", () => this.#openCanned());
    text.addEventListener("input", (event) => this.#changed(event.isComposing));
    text.addEventListener("compositionend", () => this.#changed(false));
    text.addEventListener("keydown", (event) => this.#key(event));
    text.addEventListener("paste", (event) => this.attachments.paste(event) && event.preventDefault());
    text.addEventListener("blur", ({ relatedTarget }) => $("no-canned").contains(relatedTarget) || setTimeout(() => this.#closeCanned(), 150));
    $("no-canned").addEventListener("focusout", () => this.#closeCanned());
    $("composer").addEventListener("submit", (event) => (event.preventDefault(), this.#submit()));
    for (const kind of ["reply", "note"]) $(`mode-${kind}`).addEventListener("change", () => this.choose(kind));
  }

  set drafts(drafts) {
    this.#drafts = drafts;
  }

  set canned(list) {
    this.#canned = list;
    if (document.activeElement === $("text") && !this.#found.length) this.#findCanned();
  }

  get kind() {
    return $("mode-note").checked ? "note" : "reply";
  }

  /** Write in a conversation; where one may not reply, `why` says so and notes are what is left. */
  show(conversation, { mayReply, why }) {
    const isOther = conversation !== this.#conversation;
    if (isOther) this.#closeCanned();
    this.#conversation = conversation;
    this.#mayReply = mayReply;
    this.#why = why;
    $("composer").hidden = false;
    $("mode-reply").disabled = !mayReply;
    $("mode-hint").textContent = mayReply ? "" : why;
    const kind = mayReply ? this.#wanted[conversation] ?? "reply" : "note";
    if (isOther || kind !== this.kind) this.#take(kind);
  }

  /** Nothing can be written until the next conversation is shown: not even what is typed meanwhile goes anywhere. */
  leave() {
    this.#conversation = null;
    this.#mayReply = false;
    this.attachments.show(null, false);
    this.#closeCanned();
  }

  hide() {
    this.leave();
    $("composer").hidden = true;
  }

  #whyNot() {
    if (!this.#conversation || !$("composer").offsetParent) return "Open one of your conversations first.";
    return this.#mayReply ? "" : this.#why;
  }

  /** Reply or note. */
  choose(kind) {
    if (!this.#conversation || (kind === "reply" && !this.#mayReply)) return;
    this.#wanted[this.#conversation] = kind;
    this.#take(kind);
    this.focus();
  }

  /** What is written here was changed in another tab. */
  writtenElsewhere(conversation, kind) {
    if (!this.#conversation || conversation !== this.#conversation || kind !== this.kind) return;
    $("text").value = this.#drafts.get(conversation, kind);
    this.#redraw();
  }

  focus() {
    $("text").focus({ preventScroll: true });
  }

  /** Bring back words that were not sent, before anything written since. */
  restore(kind, words) {
    this.choose(kind);
    const later = $("text").value;
    this.#put(later.trim() ? `${words}\n${later}` : words);
    this.focus();
  }

  #take(kind) {
    $(`mode-${kind}`).checked = true;
    $("composer").dataset.kind = kind;
    const isNote = kind === "note";
    $("text").placeholder = isNote ? "A note for your team; customers never see it" : "Write a reply, or / for canned replies";
    $("text-label").textContent = isNote ? "Your note" : "Your reply";
    $("composer").querySelector(".send").textContent = isNote ? "Add note" : "Send";
    $("open-canned").hidden = isNote;
    this.attachments.show(this.#conversation, !isNote && this.#mayReply);
    $("text").value = this.#drafts.get(this.#conversation, kind);
    this.#redraw();
  }

  #put(value, start = value.length, end = start) {
    $("text").value = value;
    $("text").setSelectionRange(start, end);
    this.#changed(false);
  }

  #submit() {
    const value = $("text").value.trim();
    const conversation = this.#conversation;
    if (!conversation || !(value || this.attachments.hasSome)) return;
    if ([...value].length > MOST_CHARACTERS) return announce(`This is too long: ${MOST_CHARACTERS} characters at most.`);
    const kind = this.kind;
    if (kind === "reply" && this.#isLeftOpen(value)) return;
    this.#put("");
    this.#typingSentAt = 0;
    if (value) this.#on.send(conversation, kind, value);
    for (const file of this.attachments.take()) this.#on.sendFile(conversation, file);
    // A note is said in passing: back to the reply, where there is one.
    if (kind === "note" && this.#mayReply) this.choose("reply");
  }

  /** Whether something of a canned reply is still to be filled in; it is selected, and whoever sends the same again means it. */
  #isLeftOpen(value) {
    const [open] = PLACEHOLDER.exec(value) ?? [];
    const isMeant = this.#questioned === value;
    this.#questioned = value;
    if (!open || isMeant) return false;
    this.focus();
    const from = $("text").value.indexOf(open);
    $("text").setSelectionRange(from, from + open.length);
    toast(`${open} is still to be filled in. Send it again to send it as it is.`, { kind: "bad" });
    return true;
  }

  #changed(composing) {
    if (!this.#conversation) return;
    const value = $("text").value;
    const had = this.#drafts.has(this.#conversation);
    this.#drafts.put(this.#conversation, this.kind, value);
    if (had !== this.#drafts.has(this.#conversation)) this.#on.changed();
    this.#redraw();
    if (!composing) this.#findCanned();
    if (this.kind === "reply" && value.trim() && Date.now() - this.#typingSentAt > TYPING_EVERY_MS) {
      this.#typingSentAt = Date.now();
      this.#on.typing(this.#conversation);
    }
  }

  #redraw() {
    const text = $("text");
    const left = MOST_CHARACTERS - [...text.value].length;
    $("counter").hidden = left > 200;
    $("counter").textContent = left >= 0 ? count(left, "character left", "characters left") : `${-left} too many`;
    $("counter").classList.toggle("full", left < 0);
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight}px`;
  }

  #key(event) {
    // While a word is being composed (Japanese, Chinese, …) keys belong to the input method; 229 is Safari's way to say so.
    if (event.isComposing || event.keyCode === 229) return;
    if (this.#found.length && this.#cannedKey(event)) return;
    if (event.key === "Escape" && !$("no-canned").hidden) {
      event.stopPropagation();
      $("no-canned").hidden = true;
    } else if (event.key === "Escape") {
      event.stopPropagation();
      $("text").blur();
    }
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    this.#submit();
  }

  // ---- canned replies

  #openCanned() {
    const { value, selectionStart } = $("text");
    const before = value.slice(0, selectionStart);
    const gap = before && !/\s$/.test(before) ? " /" : "/";
    this.focus();
    this.#put(before + gap + value.slice(selectionStart), before.length + gap.length);
  }

  #findCanned() {
    const { value, selectionStart } = $("text");
    const match = this.kind === "reply" ? SLASH.exec(value.slice(0, selectionStart)) : null;
    const sought = match?.[2].toLowerCase();
    const fits = ({ shortcut, text }) => shortcut.includes(sought) || (sought.length > 2 && text.toLowerCase().includes(sought));
    this.#found = match ? this.#canned.filter(fits).slice(0, MOST_SHOWN) : [];
    this.#picked = 0;
    this.#drawCanned();
    $("no-canned").hidden = !match || this.#canned.length > 0;
    if (this.#found.length) announce(`${count(this.#found.length, "canned reply", "canned replies")}. Arrows to choose, Enter to take.`);
  }

  #drawCanned() {
    const options = this.#found.map(({ shortcut, text }, index) => {
      const attributes = { role: "option", id: `canned-${index}`, class: "option", "aria-selected": String(index === this.#picked), "data-testid": "canned-option" };
      const option = el("div", attributes, el("strong", {}, said(`/${shortcut}`)), said(text, { class: "option-text" }));
      // Before the box loses the focus.
      option.addEventListener("pointerdown", (event) => (event.preventDefault(), this.#takeCanned(index)));
      return option;
    });
    $("canned").replaceChildren(...options);
    $("canned").hidden = options.length === 0;
    if (options.length) $("text").setAttribute("aria-activedescendant", `canned-${this.#picked}`);
    else $("text").removeAttribute("aria-activedescendant");
    options[this.#picked]?.scrollIntoView({ block: "nearest" });
  }

  #closeCanned() {
    $("no-canned").hidden = true;
    this.#found = [];
    this.#drawCanned();
  }

  /** Whether the key was for the list. */
  #cannedKey(event) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) {
      this.#picked = (this.#picked + by + this.#found.length) % this.#found.length;
      this.#drawCanned();
    } else if (event.key === "Enter" || event.key === "Tab") this.#takeCanned(this.#picked);
    else if (event.key === "Escape") this.#closeCanned();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  #takeCanned(index) {
    const { value, selectionStart } = $("text");
    const match = SLASH.exec(value.slice(0, selectionStart));
    const filled = fill(this.#found[index].text, this.#on.values());
    this.#closeCanned();
    if (!match) return;
    const from = match.index + match[1].length;
    const open = filled.search(PLACEHOLDER);
    // What could not be filled is selected, to be written over.
    const [start, end] = open < 0 ? [filled.length, filled.length] : [open, filled.indexOf("}", open) + 1];
    this.#put(value.slice(0, from) + filled + value.slice(selectionStart), from + start, from + end);
    this.#closeCanned();
  }
}

/** A canned reply with its placeholders filled; what nobody knows stays as it is. */
export function fill(text, values) {
  return text.replace(/\{(name|order|agent)\}/g, (placeholder, name) => values[name] || placeholder);
}
