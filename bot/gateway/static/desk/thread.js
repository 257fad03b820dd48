/** The conversation in the middle: what was said, noted and done, in one order. */

import { el } from "../dom.js";
import { showItems } from "./keyed.js";
import { drawMessage, drawNote, drawPending, drawStep } from "./lines.js";
import { dayOf } from "./times.js";
import { announce, button } from "./widgets.js";
import { nameOf, words } from "./words.js";

const $ = (id) => document.getElementById(id);
const NEAR_END_PX = 80;
const TYPING_LASTS_MS = 6000;
const GROUP_WITHIN_MS = 5 * 60 * 1000;

export class Thread {
  #detail = null;
  #pending = [];
  #explained = new Set();
  #following = true;
  #top = 0;
  #typingTimer;
  #on;

  /** `on` has earlier(seq), teach(message, intent), draft(question), retry(entry), discard(entry), partOf(entry), drawFile(file), wishes(). */
  constructor(on) {
    this.#on = on;
    const log = $("log");
    log.addEventListener("scroll", () => {
      const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END_PX;
      // Only whoever scrolls up leaves the end: the log also moves when what is around it changes its size.
      if (atEnd) this.#following = true;
      else if (log.scrollTop < this.#top) this.#following = false;
      this.#top = log.scrollTop;
      if (atEnd) $("jump").hidden = true;
    });
    $("jump").addEventListener("click", () => {
      this.toEnd();
      log.focus({ preventScroll: true });
    });
    new ResizeObserver(() => this.#follow()).observe(log);
  }

  get firstSeq() {
    return this.#detail?.messages[0]?.seq ?? 0;
  }

  get lastSeq() {
    return this.#detail?.messages.at(-1)?.seq ?? 0;
  }

  /** Show a conversation as the server tells it; one that is shown already is only brought up to date. */
  show(detail) {
    const isOther = this.#detail?.conversation.id !== detail.conversation.id;
    const before = this.lastSeq;
    const told = new Set(detail.messages.map(({ seq }) => seq));
    // Earlier ones that were asked for stay, and so does what came while this answer was on its way.
    const kept = isOther ? [] : this.#detail.messages.filter(({ seq }) => !told.has(seq));
    this.#detail = { ...detail, messages: inOrder([...kept, ...detail.messages]) };
    if (isOther) {
      this.#explained.clear();
      this.#following = true;
      this.hideTyping();
    }
    this.draw();
    if (isOther) this.toEnd();
    else this.#tellOf(detail.messages.filter((message) => message.seq > before));
  }

  /** A message that has just been written; says whether those before it are all there. */
  add(message) {
    const messages = this.#detail?.messages;
    if (!messages || messages.some(({ seq }) => seq === message.seq)) return true;
    const whole = message.seq === this.lastSeq + 1;
    this.#detail.messages = inOrder([...messages, message]);
    if (message.author !== "system") this.hideTyping();
    this.draw();
    this.#tellOf([message]);
    return whole;
  }

  /** A note that has just been written. */
  addNote(note) {
    const { notes } = this.#detail;
    if (!notes.some(({ id }) => id === note.id)) notes.push(note);
    this.draw();
  }

  /** What was said before the first that is shown; the reader stays where they are. */
  addEarlier(messages) {
    const log = $("log");
    const fromEnd = log.scrollHeight - log.scrollTop;
    const first = this.firstSeq;
    this.#detail.messages = inOrder([...messages.filter(({ seq }) => seq < first), ...this.#detail.messages]);
    this.draw();
    log.scrollTop = log.scrollHeight - fromEnd;
  }

  /** What a message was meant as; it may have been told anew since it was drawn. */
  taught(seq, intent) {
    const message = this.#detail?.messages.find((one) => one.seq === seq);
    if (message) message.taught = intent;
    this.draw();
  }

  /** How far the customer has read. */
  readUntil(seq) {
    if (!this.#detail) return;
    this.#detail.conversation.read_seq = Math.max(this.#detail.conversation.read_seq ?? 0, seq);
    this.draw();
  }

  /** What this desk has sent and the server has not confirmed yet. */
  showPending(entries) {
    const more = entries.length > this.#pending.length;
    this.#pending = entries;
    this.draw();
    if (more) this.toEnd();
  }

  showTyping(name, text) {
    $("typing").querySelector(".typing-text").textContent = text ? `${name} is typing: ${text}` : `${name} is typing…`;
    $("typing").hidden = false;
    clearTimeout(this.#typingTimer);
    this.#typingTimer = setTimeout(() => this.hideTyping(), TYPING_LASTS_MS);
    this.#follow();
  }

  hideTyping() {
    clearTimeout(this.#typingTimer);
    $("typing").hidden = true;
  }

  clear() {
    this.#detail = null;
    this.#pending = [];
    this.hideTyping();
    showItems($("items"), []);
  }

  toEnd() {
    this.#following = true;
    this.#follow();
  }

  draw() {
    if (!this.#detail) return;
    const items = this.firstSeq > 1 ? [{ key: "earlier", sign: "", draw: () => this.#drawEarlier() }] : [];
    let day = null;
    let last = null;
    for (const one of this.#inOrder()) {
      const today = dayOf(one.at);
      if (today !== day) items.push({ key: `day ${one.at}`, sign: today, draw: () => el("p", { class: "day" }, el("span", {}, today)) });
      const grouped = today === day && last?.kind === "message" && one.kind === "message" && sameSpeaker(last.data, one.data);
      items.push(this.#item(one, grouped));
      [day, last] = [today, one];
    }
    for (const entry of this.#unconfirmed()) {
      items.push({ key: `p ${entry.client_id}`, sign: JSON.stringify(entry), draw: () => drawPending(entry, this.#on) });
    }
    showItems($("items"), items);
    this.#follow();
  }

  #drawEarlier() {
    return el("p", { class: "day" }, button("Show earlier messages", () => this.#on.earlier(this.firstSeq), { kind: "small", test: "earlier-messages", part: "earlier" }));
  }

  #inOrder() {
    const { messages, notes = [], events = [] } = this.#detail;
    const all = [
      ...messages.map((data) => ({ kind: "message", key: `m ${data.seq}`, at: data.at, place: data.seq, data })),
      ...notes.map((data) => ({ kind: "note", key: `n ${data.id}`, at: data.at, place: data.after_seq + 0.6, data })),
      ...events.flatMap((data, index) => this.#step(data, index)),
    ];
    return all.sort((one, other) => one.place - other.place || one.at.localeCompare(other.at));
  }

  // What a message says as well is not said twice.
  #step(data, index) {
    const { step, reason: why } = data.detail ?? {};
    const deed = words.deeds[data.kind];
    const special = words.steps[`${step} ${why}`];
    const text = deed ? `${data.by ?? "Somebody"} ${deed}` : special ?? words.steps[step];
    if (!text) return [];
    const reason = special ? undefined : words.reasons[why];
    const before = this.#detail.messages.filter((message) => Date.parse(message.at) <= Date.parse(data.at)).at(-1);
    return [{ kind: "step", key: `e ${index}`, at: data.at, place: (before?.seq ?? 0) + 0.3, data: { text, reason } }];
  }

  #item({ kind, key, data, at }, grouped) {
    if (kind === "note") return { key, sign: JSON.stringify(data), draw: () => drawNote(data) };
    if (kind === "step") return { key, sign: JSON.stringify(data), draw: () => drawStep(data, at) };
    const explained = this.#explained.has(data.seq);
    const state = this.#stateOf(data);
    const look = { grouped, explained, state, name: this.#nameOf(data), wishes: explained ? this.#on.wishes() : [] };
    const toggle = () => {
      const opens = !this.#explained.delete(data.seq);
      if (opens) this.#explained.add(data.seq);
      // Who looks at a line stays at it.
      this.#following = false;
      this.draw();
      if (opens) $("items").querySelector(`[data-key="${key}"]`).scrollIntoView({ block: "nearest" });
    };
    return { key, sign: JSON.stringify([data, look]), draw: () => drawMessage(data, { ...look, toggle, on: this.#on }) };
  }

  /** "read" or "delivered" for the last of ours that the customer has, or has read; nothing for those before it. */
  #stateOf(message) {
    if (message.author !== "agent") return null;
    const read = this.#detail.conversation.read_seq ?? 0;
    const ours = this.#detail.messages.filter(({ author }) => author === "agent");
    const lastRead = ours.filter(({ seq }) => seq <= read).at(-1);
    if (message === lastRead) return "read";
    return message === ours.at(-1) ? "delivered" : null;
  }

  #unconfirmed() {
    const confirmed = new Set(this.#detail.messages.map((message) => message.client_id).filter(Boolean));
    return this.#pending.filter((entry) => !confirmed.has(entry.client_id));
  }

  #nameOf({ author, name }) {
    if (author === "customer") return nameOf(this.#detail.conversation.customer);
    if (author === "bot") return `${name ?? words.authors.bot} · assistant`;
    return name ?? words.authors[author] ?? author;
  }

  #tellOf(messages) {
    const heard = messages.filter(({ author }) => author === "customer");
    for (const message of heard) announce(`${this.#nameOf(message)}: ${message.text}`);
    if (messages.length && !this.#following) $("jump").hidden = false;
  }

  #follow() {
    if (this.#following) $("log").scrollTop = $("log").scrollHeight;
  }
}

const inOrder = (messages) => messages.sort((one, other) => one.seq - other.seq);

const sameSpeaker = (one, other) =>
  one.author === other.author && one.name === other.name && Date.parse(other.at) - Date.parse(one.at) < GROUP_WITHIN_MS;
