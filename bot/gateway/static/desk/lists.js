/** The left column: whose turn it is, in tabs, kept up to date. */

import { el, spoken } from "../dom.js";
import { icon } from "./icons.js";
import { showItems } from "./keyed.js";
import { isLate, restingLast, rests, rowItem } from "./rows.js";
import { attempt } from "./widgets.js";
import { words } from "./words.js";

const $ = (id) => document.getElementById(id);
export const TABS = ["mine", "queue", "callback", "bot", "search"];
const COUNTED = ["mine", "queue", "callback"];
const QUERIES = { mine: { mine: 1 }, queue: { owner: "queue" }, callback: { owner: "callback" }, bot: { owner: "bot" } };
const SEARCH_AFTER_MS = 250;
const REFRESH_AFTER_MS = 150;
// Not more often than this, however much happens: a whole office asks from one address.
const REFRESH_EVERY_MS = 2000;

export class Lists {
  tab = "mine";
  #api;
  #on;
  #rows = Object.fromEntries(TABS.map((tab) => [tab, []]));
  #next = {};
  #asked = {};
  #state = {}; // by tab: "known" once it was answered, "failed" where it could not be
  #label = "";
  #open = null;
  #fresh = new Set(); // what came to this agent and was not opened since
  #drafts;
  #timer;
  #searchTimer;
  #refreshedAt = 0;
  #resting = new Set();
  #late = 0;

  /** `on` has open(id), news(before, after, tab) and back(row) for what was put off until now; `drafts.has(id)` says where something unsent is. */
  constructor({ api, drafts, on }) {
    this.#api = api;
    this.#drafts = drafts;
    this.#on = on;
    this.#drawTabs();
    $("more-rows").addEventListener("click", () => this.#load(this.tab, this.#next[this.tab]));
    $("query").addEventListener("input", () => {
      clearTimeout(this.#searchTimer);
      this.#searchTimer = setTimeout(() => this.#load("search"), SEARCH_AFTER_MS);
    });
    $("search").addEventListener("submit", (event) => {
      event.preventDefault();
      clearTimeout(this.#searchTimer);
      this.#load("search");
    });
    $("rows").addEventListener("keydown", (event) => {
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      event.preventDefault();
      this.#step(event.key === "ArrowDown" ? 1 : -1);
    });
  }

  get rows() {
    return this.#rows[this.tab];
  }

  rowsOf(tab) {
    return this.#rows[tab];
  }

  /** The row of a conversation wherever it is listed. */
  find(id) {
    return TABS.flatMap((tab) => this.#rows[tab]).find((row) => row.id === id);
  }

  /** Look at everything again soon; several calls make one look. `hurry` is for what somebody here has just done. */
  refresh({ hurry = false } = {}) {
    if (this.#timer && !hurry) return;
    clearTimeout(this.#timer);
    const wait = hurry ? REFRESH_AFTER_MS : Math.max(REFRESH_AFTER_MS, this.#refreshedAt + REFRESH_EVERY_MS - Date.now());
    this.#timer = setTimeout(() => this.refreshNow(), wait);
  }

  async refreshNow() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#refreshedAt = Date.now();
    await Promise.all([...new Set([...COUNTED, this.tab])].map((tab) => this.#load(tab, null, true)));
  }

  show(tab) {
    this.tab = tab;
    $("search").hidden = tab !== "search";
    if (tab === "search") $("query").focus();
    this.draw();
    this.#load(tab, null, true);
  }

  /** Find what has a label. */
  showLabel(label) {
    this.#label = label;
    this.show("search");
  }

  /** Something came to this agent by itself: it is marked until it is opened. */
  isNew(id) {
    if (id !== this.#open) this.#fresh.add(id);
    this.draw();
  }

  /** How many of one's own conversations are to be looked at. */
  get unseen() {
    return this.#rows.mine.filter((row) => row.unread > 0 || this.#fresh.has(row.id)).length;
  }

  /** Which conversation is on the screen. */
  mark(id) {
    this.#open = id;
    this.#fresh.delete(id);
    this.draw();
  }

  /** Open the next or previous conversation of the list. */
  move(by) {
    const ids = this.rows.map((row) => row.id);
    const at = ids.indexOf(this.#open);
    const id = ids[at < 0 ? (by > 0 ? 0 : ids.length - 1) : Math.min(ids.length - 1, Math.max(0, at + by))];
    if (id && id !== this.#open) this.#on.open(id);
    $("rows").querySelector(`[data-id="${CSS.escape(id ?? "")}"]`)?.scrollIntoView({ block: "nearest" });
  }

  clear() {
    for (const tab of TABS) this.#rows[tab] = [];
    this.#next = {};
    this.#state = {};
    this.#label = $("query").value = "";
    this.#open = null;
    this.#fresh.clear();
    this.draw();
  }

  draw() {
    for (const tab of TABS) {
      const node = $(`tab-${tab}`);
      const number = this.#rows[tab].length;
      node.setAttribute("aria-selected", String(tab === this.tab));
      node.tabIndex = tab === this.tab ? 0 : -1;
      const badge = node.querySelector(".tab-count");
      if (!badge) continue;
      badge.textContent = number ? `${number}${this.#next[tab] ? "+" : ""}` : "";
      node.classList.toggle("urgent", tab === "queue" && number > 0);
    }
    $("tab-panel").setAttribute("aria-labelledby", `tab-${this.tab}`);
    const rows = this.tab === "mine" ? restingLast(this.rows) : this.rows;
    const look = (row) => ({ where: this.tab, isOpen: row.id === this.#open, isFresh: this.tab === "mine" && this.#fresh.has(row.id), hasDraft: this.#drafts.has(row.id), open: this.#on.open });
    showItems($("rows"), rows.map((row) => rowItem(row, look(row))));
    $("rows-empty").textContent = this.#whyEmpty();
    $("rows-empty").hidden = rows.length > 0;
    $("more-rows").hidden = !this.#next[this.tab];
    this.#drawLabel();
  }

  /** Time goes on: what was put off comes back, and what is due becomes late. */
  tick() {
    const resting = new Set(this.#rows.mine.filter(rests).map(({ id }) => id));
    const late = this.#rows.callback.filter(isLate).length;
    const back = this.#rows.mine.filter((row) => this.#resting.has(row.id) && row.snoozed_until && !rests(row));
    const isNew = back.length > 0 || late !== this.#late;
    this.#resting = resting;
    this.#late = late;
    if (isNew) this.draw();
    for (const row of back) this.#on.back(row);
  }

  /** That nothing is there is said only once that is known. */
  #whyEmpty() {
    const isSearch = this.tab === "search";
    if (isSearch && !this.#asked.search?.q && !this.#label) return words.empty.search;
    if (this.#state[this.tab] === "known") return isSearch ? words.empty.found : words.empty[this.tab];
    return this.#state[this.tab] === "failed" ? words.empty.failed : "";
  }

  async #load(tab, before = null, quietly = false) {
    const query = tab === "search" ? { q: $("query").value.trim(), label: this.#label } : QUERIES[tab];
    if (tab === "search" && !query.q && !query.label) {
      this.#asked.search = query;
      this.#rows.search = [];
      return this.draw();
    }
    const ticket = (this.#asked[tab] = { ...query });
    const load = async () => {
      const { conversations, next } = await this.#api.get("conversations", { ...query, before });
      if (this.#asked[tab] !== ticket) return; // asked again meanwhile
      const known = this.#rows[tab];
      this.#rows[tab] = before ? [...known, ...conversations.filter((row) => !known.some(({ id }) => id === row.id))] : conversations;
      this.#next[tab] = next;
      this.#state[tab] = "known";
      this.draw();
      if (!before) this.#on.news(known, this.#rows[tab], tab);
    };
    // What goes on by itself needs no words: the strip says when the server is away.
    const done = quietly ? await load().then(() => true, () => false) : await attempt(load);
    if (done || this.#asked[tab] !== ticket) return;
    // What was found for other words is not what was asked for.
    if (tab === "search" && !before) this.#rows.search = [];
    if (this.#state[tab] !== "known" || tab === "search") this.#state[tab] = "failed";
    this.draw();
  }

  #drawTabs() {
    const nodes = TABS.map((tab) => {
      const number = COUNTED.includes(tab) ? el("span", { class: "tab-count", "data-testid": `count-${tab}` }) : "";
      const attributes = { type: "button", role: "tab", id: `tab-${tab}`, class: "tab", "aria-controls": "tab-panel", title: words.tabTitles[tab], "data-testid": `tab-${tab}` };
      const node = el("button", attributes, tab === "search" ? icon("search") : words.tabs[tab], number);
      if (tab === "search") node.setAttribute("aria-label", words.tabs.search);
      node.addEventListener("click", () => this.show(tab));
      return node;
    });
    $("tabs").append(...nodes);
    $("tabs").addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!by) return;
      event.preventDefault();
      const tab = TABS[(TABS.indexOf(this.tab) + by + TABS.length) % TABS.length];
      this.show(tab);
      $(`tab-${tab}`).focus();
    });
  }

  #drawLabel() {
    if (!this.#label) return $("label-filter").replaceChildren();
    const remove = el("button", { type: "button", class: "chip label removable" }, el("bdi", {}, this.#label), " ×", spoken("remove this filter"));
    remove.addEventListener("click", () => {
      this.#label = "";
      this.#load("search");
      $("query").focus();
    });
    $("label-filter").replaceChildren(remove);
  }

  #step(by) {
    const rows = [...$("rows").querySelectorAll(".row-open")];
    rows[rows.indexOf(document.activeElement) + by]?.focus();
  }
}
