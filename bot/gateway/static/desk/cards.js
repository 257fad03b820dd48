/** The cards that the assistant showed, in short: what stood on them, without what the customer could press. */

import { el, spoken } from "../dom.js";
import { said } from "./widgets.js";

const KINDS = { order: "Order", reward: "Reward", points: "Points" };

/** The cards of a message; null where it has none. */
export function drawCards({ cards }) {
  if (!cards?.length) return null;
  return el("ul", { class: "shown-cards", "aria-label": "Shown as cards", "data-testid": "cards" }, ...cards.map(card));
}

function card({ kind, title, facts = [], steps = [], step }) {
  const known = KINDS[kind] ? [el("span", { class: "card-kind" }, KINDS[kind]), " "] : [];
  const node = el("li", { class: "card-box", "data-testid": "card", "data-kind": kind }, el("p", {}, ...known, el("strong", {}, said(title))));
  const reached = steps[step];
  if (reached) node.append(el("p", { class: "card-step" }, said(reached), el("span", { class: "quiet" }, ` · step ${step + 1} of ${steps.length}`)));
  // On one line each as long as there is room.
  if (facts.length) node.append(el("p", { class: "card-facts" }, ...facts.map(({ label, value }) => el("span", {}, el("span", { class: "quiet" }, said(label), ": "), said(value), spoken(". ")))));
  return node;
}
