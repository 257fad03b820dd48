/** Conversations that are offered to this agent for a while: a banner with a countdown, to accept or to pass. */

import { el } from "../dom.js";
import { showItems } from "./keyed.js";
import { reasonOf } from "./rows.js";
import { now, tick } from "./times.js";
import { button, said } from "./widgets.js";
import { nameOf, readable } from "./words.js";

export class Offers {
  #root = document.getElementById("offers");
  #on;
  #rows = [];

  /** `on` has accept(row), pass(row) and open(id). */
  constructor(on) {
    this.#on = on;
  }

  show(rows) {
    this.#rows = rows;
    this.#draw();
  }

  clear() {
    this.show([]);
  }

  /** An offer that has run out is gone before the server says so. */
  tick() {
    const open = this.#rows.filter(isOpen);
    if (open.length === this.#rows.length) return;
    this.#rows = open;
    this.#draw();
  }

  #draw() {
    const items = this.#rows.filter(isOpen).map((row) => ({ key: row.id, sign: row.offered_until, draw: () => this.#banner(row) }));
    showItems(this.#root, items);
    this.#root.hidden = items.length === 0;
  }

  #banner(row) {
    const about = [reasonOf(row.reason ?? "asked"), row.topic ? readable(row.topic) : null].filter(Boolean).join(" · ");
    const words = el("button", { type: "button", class: "offer-words", "data-part": "open" }, el("strong", {}, said(nameOf(row.customer))), " is offered to you · ", el("span", { class: "quiet" }, about));
    words.addEventListener("click", () => this.#on.open(row.id));
    const left = row.offered_until ? el("span", { class: "countdown", "data-until": row.offered_until, role: "timer", "aria-label": "Time left" }) : "";
    const accept = button("Accept", () => this.#on.accept(row), { kind: "primary", test: "offer-accept", part: "accept" });
    const pass = button("Pass", () => this.#on.pass(row), { test: "offer-pass", part: "pass" });
    const banner = el("div", { class: "offer", "data-testid": "offer", "data-id": row.id }, words, left, accept, pass);
    tick(banner);
    return banner;
  }
}

const isOpen = (row) => !row.offered_until || Date.parse(row.offered_until) > now();
