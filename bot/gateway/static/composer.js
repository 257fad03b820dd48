/** The message box: sends on Enter, grows with the text, counts near the limit, and keeps an unsent draft. */

import { t } from "./texts.js";

const SHOW_COUNTER_BELOW = 200;
const TYPING_EVERY_MS = 3000;

export class Composer {
  #text;
  #counter;
  #shelf;
  #on;
  #max = 2000;
  #typingSentAt = 0;
  #given = null; // a draft from the shop's page, replaceable while the customer has not changed it

  /** `on` has send(text), typing(), and announce(text). */
  constructor({ form, text, counter, shelf, on }) {
    this.#text = text;
    this.#counter = counter;
    this.#shelf = shelf;
    this.#on = on;
    text.value = shelf.read() ?? "";
    text.addEventListener("input", (event) => this.#changed(event.isComposing));
    text.addEventListener("compositionend", () => this.#changed(false));
    text.addEventListener("keydown", (event) => {
      // While a word is being composed (Japanese, Chinese, …) Enter belongs to the input method; 229 is Safari's way to say so.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.#submit();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#redraw();
  }

  get empty() {
    return this.#text.value.trim() === "";
  }

  set max(count) {
    this.#max = count;
    this.#redraw();
  }

  get max() {
    return this.#max;
  }

  focus() {
    this.#text.focus({ preventScroll: true });
  }

  /** Put words in the box unless the customer has their own there. */
  offer(draft) {
    if (!this.empty && this.#text.value !== this.#given) return;
    this.#given = draft;
    this.put(draft);
  }

  /** Bring back words that could not be sent, before anything written since. */
  restore(words) {
    this.put(this.empty ? words : `${words}\n${this.#text.value}`);
  }

  put(value) {
    this.#text.value = value;
    this.#changed(false);
    this.#text.setSelectionRange(value.length, value.length);
  }

  clear() {
    this.put("");
  }

  #submit() {
    const value = this.#text.value.trim();
    if (value) {
      this.clear();
      this.#typingSentAt = 0;
      this.#on.send(value);
    }
    this.focus();
  }

  #changed(composing) {
    if (!composing) this.#stopAtLimit();
    this.#shelf.write(this.#text.value);
    this.#redraw();
    const now = Date.now();
    if (!this.empty && now - this.#typingSentAt > TYPING_EVERY_MS) {
      this.#typingSentAt = now;
      this.#on.typing();
    }
  }

  // Counted in characters, as the server counts; maxlength would count an emoji as two or more.
  #stopAtLimit() {
    const over = [...this.#text.value].length - this.#max;
    if (over <= 0) return;
    // What was just typed or pasted ends at the caret, so that is the part to leave out.
    const { selectionEnd, value } = this.#text;
    const kept = [...value.slice(0, selectionEnd)].slice(0, -over).join("");
    this.#text.value = kept + value.slice(selectionEnd);
    this.#text.setSelectionRange(kept.length, kept.length);
    this.#on.announce(t("full", { count: this.#max }));
  }

  #redraw() {
    const left = this.#max - [...this.#text.value].length;
    this.#counter.hidden = left >= SHOW_COUNTER_BELOW;
    this.#counter.textContent = left > 0 ? t("left", { count: left }) : t("full", { count: this.#max });
    this.#counter.classList.toggle("full", left <= 0);
    this.#text.form.classList.toggle("empty", this.empty);
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight}px`;
  }
}
