/** Small, safe ways to make page elements: everything a person wrote enters the page as text. */

import { t } from "./texts.js";

/** An element with attributes and children; strings become text nodes, never markup. */
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

/** Words for screen readers only. */
export const spoken = (text) => el("span", { class: "visually-hidden" }, text);

const LONG_LINK = 40;
const LINK = /https?:\/\/[^\s<>"'`]+/gi;

/** The text as nodes, with plain http(s) addresses as links and everything else untouched. */
export function linkified(text) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    const shown = withoutTrailingPunctuation(match[0]);
    const href = safeAddress(shown);
    if (!href) continue;
    nodes.push(text.slice(from, match.index));
    const attributes = { href, title: shown, target: "_blank", rel: "noopener noreferrer nofollow" };
    nodes.push(el("a", attributes, shortened(shown, href), spoken(t("new_tab"))));
    from = match.index + shown.length;
  }
  nodes.push(text.slice(from));
  return nodes.filter((node) => node !== "");
}

/** A long address cut short, as nobody reads a signature; where it leads to stays whole. */
function shortened(shown, href) {
  const kept = Math.max(LONG_LINK, new URL(href).origin.length + 1);
  return shown.length > kept + 8 ? `${shown.slice(0, kept)}…` : shown;
}

/** "(see https://a.example/b)." links to https://a.example/b; a bracket that the address itself opened stays. */
function withoutTrailingPunctuation(address) {
  let kept = address;
  for (;;) {
    const last = kept.at(-1);
    const loose = last === ")" && kept.split(")").length > kept.split("(").length;
    if (!loose && !".,;:!?…]}".includes(last)) return kept;
    kept = kept.slice(0, -1);
  }
}

/** The address of something that this very server shows; null for anything else, which must not be loaded from here. */
export function ownAddress(text) {
  let url;
  try {
    url = new URL(text, location.href);
  } catch {
    return null;
  }
  const isWeb = url.protocol === "https:" || url.protocol === "http:";
  return isWeb && url.origin === location.origin && !url.username && !url.password ? url.href : null;
}

function safeAddress(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  // A user name in an address ("https://shop.example@evil.example") is only ever there to mislead.
  const allowed = (url.protocol === "https:" || url.protocol === "http:") && !url.username && !url.password;
  return allowed ? url.href : null;
}
