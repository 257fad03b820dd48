/** The heart of an answer as boxes: an order with how far it is, a reward, the points. Everything on them enters as text. */

import { el, spoken } from "./dom.js";
import { locale, t } from "./texts.js";

const LONG_VALUE = 32; // more than fits beside its label

/** What the bubble says where cards show the rest: the text's first line. Without cards all of it. */
export const textBeside = (cards, text) => (cards?.length ? text.split("\n", 1)[0] : text);

/** The cards as a list; `button(choice, label)` makes what is pressed for a card's choice. */
export function drawCards(cards, button) {
  const list = el("ul", { class: cards.length > 1 ? "cards several" : "cards" });
  list.append(...cards.map((card) => el("li", { class: `card card-${kindOf(card)}`, "data-testid": "card" }, ...contents(card, button))));
  return list;
}

const kindOf = ({ kind }) => (/^[a-z]+$/.test(kind) ? kind : "other");

function contents({ title, facts = [], steps = [], step, choice }, button) {
  const parts = [el("p", { class: "card-title", dir: "auto" }, title)];
  if (steps.length) parts.push(drawSteps(steps, step));
  if (facts.length) parts.push(el("dl", { class: "facts" }, ...facts.map(drawFact)));
  if (choice) parts.push(button(choice, labelOf(choice.title, title)));
  return parts;
}

/** What a choice is called on its card, whose title stands there already: "TC-10002: details" is "Details". */
function labelOf(name, title) {
  if (!name.startsWith(title)) return [name];
  const [first = "", ...rest] = name.slice(title.length).replace(/^[\s:–-]+/, "");
  return [first ? first.toLocaleUpperCase(locale) + rest.join("") : t("card.pick"), spoken(` ${title}`)];
}

function drawFact({ label, value }) {
  const size = value.length > LONG_VALUE ? "fact long" : "fact";
  return el("div", { class: size }, el("dt", { dir: "auto" }, label), el("dd", { dir: "auto" }, value));
}

/** How far something has come: told by the list's order and its current step, shown by shape as well as by colour. */
function drawSteps(steps, reached) {
  const list = el("ol", { class: "steps", "data-testid": "steps" });
  const place = reached ?? -1;
  list.append(
    ...steps.map((name, index) => {
      const state = index < place ? "done" : index === place ? "current" : "ahead";
      const words = index < place ? [spoken(t("card.done"))] : [];
      return el("li", { class: `step ${state}`, "aria-current": index === place ? "step" : null }, el("bdi", {}, name), ...words);
    }),
  );
  return list;
}
