/** Everything around the conversation that says how things stand: connection, who is answering, typing, problems. */

import { el } from "./dom.js";
import { t } from "./texts.js";

const CONNECTING_NOTICE_AFTER_MS = 1000;
const TYPING_LASTS_MS = 8000;
const SLOW_AFTER_MS = 12000;
const ANNOUNCEMENT_LASTS_MS = 4000;

/** A polite live region of its own, emptied again so that old words are not found a second time. */
export class Announcer {
  #region;

  constructor(region) {
    this.#region = region;
  }

  say(text) {
    const line = el("p", {}, text);
    this.#region.append(line);
    setTimeout(() => line.remove(), ANNOUNCEMENT_LASTS_MS);
  }

  clear() {
    this.#region.replaceChildren();
  }
}

/** The strip that says when the chat is connecting or offline. */
export class ConnectionNotice {
  #strip;
  #words;
  #announcer;
  #timer;

  constructor(strip, announcer) {
    this.#strip = strip;
    this.#words = strip.querySelector(".notice-text");
    this.#announcer = announcer;
  }

  show(state) {
    clearTimeout(this.#timer);
    // An attempt made while offline keeps the offline words: the strip must not flicker at every attempt.
    if (state === "connecting" && !this.#strip.hidden) return;
    // A connection that is there within a second needs no words at all.
    if (state === "connecting") this.#timer = setTimeout(() => this.#say(t("connecting"), state), CONNECTING_NOTICE_AFTER_MS);
    else if (state === "offline") this.#say(t("offline"), state);
    else if (state === "stopped") this.#say(t("refused"), state);
    else this.#strip.hidden = true;
  }

  #say(words, state) {
    const isNew = this.#strip.hidden || this.#words.textContent !== words;
    this.#words.textContent = words;
    this.#strip.dataset.state = state;
    this.#strip.hidden = false;
    if (isNew) this.#announcer.say(words);
  }
}

/** The strip that says who has the conversation, with a way out that asks once before it acts. */
export class OwnerNotice {
  #strip;
  #words;
  #actions;
  #announcer;
  #onEnd;
  #owner = null;

  constructor(strip, { announcer, onEnd }) {
    this.#strip = strip;
    this.#words = strip.querySelector(".notice-text");
    this.#actions = strip.querySelector(".notice-actions");
    this.#announcer = announcer;
    this.#onEnd = onEnd;
  }

  show({ owner, position, agent, assistant, awayUntil = null, isNews }) {
    const changed = owner !== this.#owner;
    const returned = owner === "bot" && this.#owner !== null && changed;
    this.#owner = owner;
    const words = ownerWords({ owner, position, agent, awayUntil });
    const wordsChanged = words !== this.#words.textContent;
    this.#words.textContent = words;
    this.#strip.dataset.owner = owner;
    this.#strip.hidden = words === "";
    if (changed) this.#offerEnd();
    if (isNews && words && wordsChanged) this.#announcer.say(words);
    if (isNews && returned) this.#announcer.say(t("back", { assistant }));
  }

  #offerEnd() {
    const label = this.#owner === "bot" ? [] : [button(t(`end.${this.#owner}`), () => this.#ask())];
    this.#actions.replaceChildren(...label);
  }

  #ask() {
    const yes = button(t(`end.${this.#owner}.yes`), () => {
      this.#offerEnd();
      this.#onEnd();
    });
    const no = button(t("end.no"), () => {
      this.#offerEnd();
      this.#actions.querySelector("button")?.focus();
    });
    this.#actions.replaceChildren(el("span", {}, t(`end.${this.#owner}.question`)), yes, no);
    yes.focus();
  }
}

function ownerWords({ owner, position, agent, awayUntil }) {
  if (owner === "queue" && awayUntil) return t("queue.away", { time: awayUntil });
  if (owner === "queue") return position ? t("queue.position", { position }) : t("queue");
  if (owner === "agent") return agent ? t("agent.named", { name: agent }) : t("agent");
  return "";
}

function button(label, run) {
  const node = el("button", { type: "button", class: "link-button" }, label);
  node.addEventListener("click", run);
  return node;
}

/** "… is typing", and a word of patience when nothing comes at all. */
export class Waiting {
  #typing;
  #slow;
  #onChange;
  #typingTimer;
  #slowTimer;

  constructor({ typing, slow, onChange }) {
    this.#typing = typing;
    this.#slow = slow;
    this.#onChange = onChange;
  }

  /** The customer was heard; an answer is due. */
  expect() {
    clearTimeout(this.#slowTimer);
    this.#slowTimer = setTimeout(() => {
      this.#slow.textContent = t("slow");
      this.#slow.hidden = false;
      this.#onChange();
    }, SLOW_AFTER_MS);
  }

  showTyping(name) {
    this.#typing.querySelector(".typing-text").textContent = t("typing", { name });
    this.#typing.hidden = false;
    clearTimeout(this.#typingTimer);
    this.#typingTimer = setTimeout(() => (this.#typing.hidden = true), TYPING_LASTS_MS);
    this.#onChange();
  }

  /** The answer is there, or nobody owes one. */
  done() {
    clearTimeout(this.#slowTimer);
    clearTimeout(this.#typingTimer);
    this.#typing.hidden = true;
    this.#slow.hidden = true;
  }
}
