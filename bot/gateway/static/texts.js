/** The chat's sentences in the chosen language: looked up by key, with names and numbers filled in. */

import { config } from "./config.js";

const { code, direction } = config.language;
const plurals = new Intl.PluralRules(code);

/** For dates and numbers: the reader's own country's way of writing this language. */
export const locale = navigator.languages.find((each) => each.split("-")[0] === code.split("-")[0]) ?? code;

/**
 * The sentence for `key` with each {placeholder} replaced by its value; a sentence with plural forms is chosen by `count`.
 * A key that does not exist is shown as it is, so that it is noticed.
 */
export function t(key, values = {}) {
  const found = config.texts[key] ?? key;
  return fill(typeof found === "string" ? found : found[plurals.select(values.count)] ?? found.other, values);
}

const fill = (sentence, values) =>
  sentence.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? filledIn(values[name]) : whole));

/** The first words: the shop's own, or ours. A name that is not known is left out, with the comma or space before it. */
export function greeting({ name, assistant, shop }) {
  const values = { assistant, shop, ...(name ? { name } : {}) };
  if (!config.welcome) return t(name ? "greeting.named" : "greeting", values);
  return fill(name ? config.welcome : config.welcome.replace(/^\{name\}[,!]?\s*|[,،]?\s*\{name\}/g, ""), values);
}

/** The questions to tap on at the beginning: the shop's own, or ours. */
export const starters = config.starters.length ? config.starters : ["order", "hours", "person"].map((name) => t(`starter.${name}`));

/** Whether there is a sentence for this key. */
export const knows = (key) => Object.hasOwn(config.texts, key);

function filledIn(value) {
  const text = typeof value === "number" ? value.toLocaleString(locale) : value;
  // Isolated, so that a Latin name within Arabic does not turn the words round it about.
  return direction === "rtl" ? `\u2068${text}\u2069` : text;
}

/** Fill in the page's own sentences: data-text is an element's text, data-label its name, data-hint a placeholder. */
export function translate(page) {
  page.documentElement.lang = code;
  page.documentElement.dir = direction;
  page.title = t("conversation");
  for (const node of page.querySelectorAll("[data-text]")) node.textContent = t(node.dataset.text);
  for (const node of page.querySelectorAll("[data-label]")) node.setAttribute("aria-label", t(node.dataset.label));
  for (const node of page.querySelectorAll("[data-hint]")) node.placeholder = t(node.dataset.hint);
  for (const node of page.querySelectorAll("button[data-label]")) node.title = t(node.dataset.label);
}
