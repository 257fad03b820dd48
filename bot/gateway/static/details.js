/** The shop's questions before the chat: a short form that is asked once, and that never stands in the way for long. */

import { config } from "./config.js";
import { el } from "./dom.js";
import { t } from "./texts.js";

const MAX_CHARACTERS = 200;
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
const PATIENCE_MS = 8000;

export class Details {
  #form;
  #shelf;
  #on;
  #fields = new Map();
  #problem;
  #busy = false;

  /** `on` has token(), changed() when it comes or goes, and done() when the chat may begin. `shelf` keeps what was typed. */
  constructor({ form, shelf, on }) {
    this.#form = form;
    this.#shelf = shelf;
    this.#on = on;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  get shown() {
    return !this.#form.hidden;
  }

  /** Whether the chat waits for the answers. */
  get blocks() {
    return this.shown && config.questions.some((question) => question.required);
  }

  focus() {
    this.#form.querySelector("input, select")?.focus({ preventScroll: true });
  }

  /** Ask, or stop asking. What could not be delivered before is sent again. */
  show(isAsked) {
    const { unsent } = this.#kept();
    if (unsent) this.#deliver(unsent);
    const isShown = isAsked && !unsent && config.questions.length > 0;
    if (isShown === this.shown) return;
    if (isShown && !this.#fields.size) this.#draw();
    this.#form.hidden = !isShown;
    this.#on.changed();
  }

  /** Somebody who simply begins to write has answered enough. */
  leave() {
    if (this.shown && !this.blocks) this.show(false);
  }

  clear() {
    this.#shelf.remove();
    this.#form.replaceChildren();
    this.#fields.clear();
    this.#form.hidden = true;
  }

  #kept() {
    return this.#shelf.read() ?? {};
  }

  #draw() {
    const typed = this.#kept().typed ?? {};
    const rows = config.questions.map((question) => this.#drawQuestion(question, typed[question.id] ?? ""));
    this.#problem = el("p", { class: "problem", role: "alert", "data-testid": "details-problem", hidden: "" });
    const start = el("button", { type: "submit", class: "primary" }, t("details.start"));
    const buttons = el("div", { class: "details-buttons" }, start);
    if (!config.questions.some((question) => question.required)) {
      const skip = el("button", { type: "button", class: "link-button" }, t("details.skip"));
      skip.addEventListener("click", () => this.#finish({}));
      buttons.append(skip);
    }
    this.#form.replaceChildren(el("h2", { id: "details-title" }, t("details.title")), ...rows, this.#problem, buttons);
  }

  #drawQuestion(question, value) {
    const id = `details-${question.id}`;
    const attributes = { id, name: question.id, "aria-describedby": `${id}-wrong`, "aria-required": question.required ? "true" : null };
    const field = question.kind === "choice" ? drawSelect(question, attributes) : el("input", { ...attributes, ...typing(question) });
    field.value = value;
    field.addEventListener("input", () => this.#shelf.write({ ...this.#kept(), typed: this.#values() }));
    const wrong = el("p", { class: "wrong", id: `${id}-wrong`, hidden: "" });
    this.#fields.set(question.id, { question, field, wrong });
    const label = question.required ? question.label : t("details.optional", { label: question.label });
    return el("div", { class: "details-row" }, el("label", { for: id, dir: "auto" }, label), field, wrong);
  }

  #values() {
    return Object.fromEntries([...this.#fields].map(([id, { field }]) => [id, field.value.trim()]));
  }

  #submit() {
    if (this.#busy) return;
    const wrong = [...this.#fields.values()].filter((each) => !this.#check(each));
    if (wrong.length) return wrong[0].field.focus();
    const answers = Object.fromEntries(Object.entries(this.#values()).filter(([, answer]) => answer));
    this.#finish(answers);
  }

  #check({ question, field, wrong }) {
    const value = field.value.trim();
    let fault = "";
    if (!value && question.required) fault = t("details.required");
    else if (value && question.kind === "email" && !EMAIL.test(value)) fault = t("details.email.wrong");
    wrong.textContent = fault;
    wrong.hidden = !fault;
    field.setAttribute("aria-invalid", String(Boolean(fault)));
    return !fault;
  }

  async #finish(answers) {
    this.#busy = true;
    const refused = await this.#deliver(answers);
    this.#busy = false;
    this.#problem.textContent = refused ?? "";
    this.#problem.hidden = !refused;
    if (refused) return;
    this.show(false);
    this.#on.done();
  }

  /** Send the answers; the server's words where it does not take them. Where it cannot be reached, the chat goes on. */
  async #deliver(answers) {
    this.#shelf.write({ unsent: answers });
    try {
      const response = await fetch("/chat/messages", {
        method: "POST",
        headers: { "Content-Type": "application/json", Authorization: `Bearer ${this.#on.token()}` },
        body: JSON.stringify({ type: "details", answers }),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      const answer = await response.json();
      if (response.ok || answer.code === "bad_request") this.#shelf.remove();
      if (answer.code === "bad_request") {
        this.#shelf.write({ typed: answers });
        return answer.message;
      }
    } catch { /* kept, and sent with the next hello */ }
    return null;
  }
}

function typing({ kind }) {
  const email = { type: "email", autocomplete: "email", inputmode: "email" };
  return { ...(kind === "email" ? email : { type: "text" }), maxlength: MAX_CHARACTERS, dir: "auto" };
}

function drawSelect(question, attributes) {
  const options = question.choices.map((choice) => el("option", { value: choice }, choice));
  return el("select", attributes, el("option", { value: "" }, t("details.choose")), ...options);
}
