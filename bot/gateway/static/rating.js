/** "Was this helpful?" under the latest answer of the bot. */

import { textBeside } from "./cards.js";
import { el } from "./dom.js";
import { t } from "./texts.js";

// Shorter than this is a greeting or a thank-you, which nobody needs to judge.
const LEAST_CHARACTERS = 60;
const THUMB = "M7 11v9H4v-9zM7 11l4-7.5a2 2 0 0 1 2.5 2.2L13 9.5h5a2 2 0 0 1 2 2.4l-1.2 6.5A2 2 0 0 1 16.8 20H7";

/** Whether this is an answer rather than a question or small talk. */
export function isAnswer({ author, text, cards, state }) {
  const isLong = cards?.length > 0 || [...text].length >= LEAST_CHARACTERS;
  return author === "bot" && state === "delivered" && isLong && ![text, textBeside(cards, text)].some(isQuestion);
}

const isQuestion = (text) => /[?؟]\s*$/.test(text);

/** What customers think of answers: kept until the server has been told. */
export class Ratings {
  #send;
  #announce;
  #askPerson;
  #waiting = new Map();

  /** `send(frame)` says whether the frame was handed over; `askPerson()` asks for a person in the customer's name. */
  constructor({ send, announce, askPerson }) {
    this.#send = send;
    this.#announce = announce;
    this.#askPerson = askPerson;
  }

  /** Tell what could not be told while the link was down. */
  flush() {
    for (const [seq, helpful] of this.#waiting) this.#tell(seq, helpful);
  }

  clear() {
    this.#waiting.clear();
  }

  /** The question under an item; what was said before is shown, and can be changed. */
  draw(item) {
    const root = el("div", { class: "rating", role: "group", "aria-label": t("helpful"), "data-testid": "rating" });
    const after = el("p", { class: "rating-after", "data-testid": "rating-after", hidden: "" });
    const thumbs = [true, false].map((helpful) => {
      const thumb = el("button", { type: "button", class: `thumb ${helpful ? "up" : "down"}`, "aria-label": t(helpful ? "helpful.yes" : "helpful.no") });
      thumb.title = t(helpful ? "helpful.yes" : "helpful.no");
      thumb.append(drawThumb());
      thumb.addEventListener("click", () => {
        if (item.helpful === helpful) return;
        item.helpful = helpful;
        this.#tell(item.seq, helpful);
        press();
        this.#react(after, helpful);
      });
      return thumb;
    });
    const press = () => {
      root.classList.toggle("rated", typeof item.helpful === "boolean");
      thumbs.forEach((thumb, index) => thumb.setAttribute("aria-pressed", String(item.helpful === (index === 0))));
    };
    press();
    root.append(el("span", { class: "rating-words", "aria-hidden": "true" }, t("helpful")), ...thumbs, after);
    return root;
  }

  #tell(seq, helpful) {
    this.#waiting.set(seq, helpful);
    if (this.#send({ type: "helpful", seq, helpful })) this.#waiting.delete(seq);
  }

  #react(after, helpful) {
    after.hidden = false;
    this.#announce(t(helpful ? "helpful.thanks" : "helpful.sorry"));
    if (helpful) return after.replaceChildren(t("helpful.thanks"));
    const person = el("button", { type: "button", class: "link-button" }, t("helpful.person"));
    person.addEventListener("click", () => {
      after.hidden = true;
      this.#askPerson();
    });
    after.replaceChildren(`${t("helpful.sorry")} `, person);
  }
}

function drawThumb() {
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", THUMB);
  icon.append(path);
  return icon;
}
