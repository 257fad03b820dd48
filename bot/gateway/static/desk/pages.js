/** The desk's other pages, each loaded when it is first opened. */

import { el } from "../dom.js";

const FOR_ADMINS = new Set(["teaching", "agents"]);
const PAGES = {
  canned: () => import("./page-canned.js"),
  teaching: () => import("./page-teaching.js"),
  reports: () => import("./page-reports.js"),
  agents: () => import("./page-agents.js"),
};

let latest = null;

/** Show a page; `desk` has api, agent, and changed() for when what the conversations use was changed. */
export async function openPage(name, desk) {
  const root = document.getElementById("page");
  const mine = (latest = {});
  root.replaceChildren(el("p", { class: "quiet" }, "Loading…"));
  try {
    if (!PAGES[name]) throw new Error("There is no such page.");
    if (FOR_ADMINS.has(name) && desk.agent.role !== "admin") throw new Error("Only admins may do this.");
    const { draw } = await PAGES[name]();
    const content = el("div", { class: "page-body" });
    await draw(content, desk);
    if (latest !== mine) return;
    root.replaceChildren(content);
    content.querySelector("h1")?.focus({ preventScroll: true });
  } catch (error) {
    if (latest === mine) root.replaceChildren(el("p", { class: "problem", role: "alert" }, error.message));
  }
}

/** A part of the address in plain letters; nothing where somebody has made it up. */
export function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

/** The head of a page: its name, what it is for, and what can be done. */
export function head(title, about, ...actions) {
  return el("header", { class: "page-head" }, el("div", {}, el("h1", { tabindex: "-1" }, title), el("p", { class: "quiet" }, about)), el("div", { class: "page-actions" }, ...actions));
}

/** A table: `columns` are names, `rows` are lists of cells (text or elements). */
export function table(caption, columns, rows, { numbers = [], test = null } = {}) {
  const kind = (index) => (numbers.includes(index) ? { class: "number" } : {});
  const headings = columns.map((name, index) => el("th", { scope: "col", ...kind(index) }, name));
  const lines = rows.map((cells) => el("tr", {}, ...cells.map((cell, index) => el(index === 0 ? "th" : "td", { ...(index === 0 ? { scope: "row" } : {}), ...kind(index) }, cell))));
  return el("div", { class: "table-box", tabindex: "0", role: "region", "aria-label": caption }, el("table", { "data-testid": test }, el("caption", { class: "visually-hidden" }, caption), el("thead", {}, el("tr", {}, ...headings)), el("tbody", {}, ...lines)));
}
