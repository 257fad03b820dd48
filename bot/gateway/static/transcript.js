/** The conversation on the screen: one item per message, ordered by seq, with what is not yet confirmed at the end. */

import { drawCards, textBeside } from "./cards.js";
import { el, linkified, ownAddress, spoken } from "./dom.js";
import { isAnswer } from "./rating.js";
import { locale, t } from "./texts.js";

const NEAR_END_PX = 60;
const GROUP_WITHIN_MS = 5 * 60 * 1000;

const clock = new Intl.DateTimeFormat(locale, { hour: "numeric", minute: "2-digit" });
const calendar = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" });

/** Items: {seq (Infinity while unconfirmed), author, name, text, image, file, cards, choices, helpful, at, clientId, state, root}. */
export class Transcript {
  #log;
  #list;
  #jump;
  #nameOf;
  #on;
  #items = [];
  #openChoices = [];
  #judged = null; // the item under which the customer is asked whether it helped
  #latestOwn = null;
  #following = true;

  /** `nameOf(author, name)` names a sender; `on` has choose(choice), retry(clientId), edit(clientId), drawFile(item), drawRating(item). */
  constructor({ log, list, jump, nameOf, on }) {
    this.#log = log;
    this.#list = list;
    this.#jump = jump;
    this.#nameOf = nameOf;
    this.#on = on;
    log.addEventListener("scroll", () => {
      this.#following = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END_PX;
      if (this.#following) jump.hidden = true;
    });
    jump.addEventListener("click", () => {
      this.toEnd();
      log.focus({ preventScroll: true });
    });
    new ResizeObserver(() => this.follow()).observe(log);
  }

  get empty() {
    return this.#items.length === 0;
  }

  /** What was said, as one text to keep: who, when, the words, and what pictures show. */
  asText() {
    const shown = this.#items.filter((item) => item.state === "delivered");
    return shown
      .map(({ author, name, text, image, at }) => {
        const picture = image?.alt ? `\n[${image.alt}] ${image.url}` : "";
        return `${at.toLocaleString(locale)} · ${this.#nameOf(author, name)}\n${text}${picture}\n`;
      })
      .join("\n");
  }

  has(seq) {
    return this.#items.some((item) => item.seq === seq);
  }

  /** Show a message from the server; false when it was already there. */
  show({ seq, author, name, text, image, file, cards, choices, helpful, at }) {
    if (this.has(seq)) return false;
    const item = { seq, author, name: author === "customer" ? null : name ?? null, text, image, file, cards, choices: choices ?? [], helpful };
    this.#insert({ ...item, at: new Date(at ?? Date.now()), state: "delivered" });
    if (!this.#following && author !== "customer") this.#jump.hidden = false;
    return true;
  }

  /** Show what the customer has just sent. */
  showPending({ client_id, text, file, failed }) {
    const item = { seq: Infinity, author: "customer", name: null, text, file, choices: [], at: new Date(), clientId: client_id };
    item.state = failed ? "failed" : "sending";
    this.#insert(item);
    this.toEnd();
  }

  /** The server has it: give it its place. Where the server's own copy came first, that copy stays. */
  deliver(clientId, seq) {
    const item = this.#find(clientId);
    if (!item || item.seq !== Infinity) return;
    this.#take(item);
    if (this.has(seq)) return;
    item.seq = seq;
    item.state = "delivered";
    this.#insert(item);
  }

  /** Mark an unconfirmed message as refused, with what can be done about it. */
  fail(clientId, reason, { canRetry, canEdit }) {
    const item = this.#find(clientId);
    if (!item) return;
    item.state = "failed";
    const actions = [];
    if (canRetry) actions.push(this.#action(t("again"), () => this.#on.retry(clientId)));
    if (canEdit) actions.push(this.#action(t("edit"), () => this.#on.edit(clientId)));
    item.reason = [el("span", {}, `${t("status.failed")}. ${reason} `), ...actions];
    this.#drawStatus(item);
  }

  removePending(clientId) {
    const item = this.#find(clientId);
    if (item) this.#take(item);
  }

  clear() {
    this.#items = [];
    this.#openChoices = [];
    this.#judged = null;
    this.#latestOwn = null;
    this.#list.replaceChildren();
    this.#jump.hidden = true;
    this.#following = true;
  }

  toEnd() {
    this.#following = true;
    this.follow();
  }

  /** Stay at the end if the reader was there; a greeting that does not fit is read from its beginning. */
  follow() {
    if (this.#following && !this.empty) this.#log.scrollTop = this.#log.scrollHeight;
  }

  #find(clientId) {
    return this.#items.find((item) => item.clientId === clientId);
  }

  #insert(item) {
    let index = this.#items.length;
    while (index > 0 && this.#items[index - 1].seq > item.seq) index -= 1;
    item.root ??= this.#draw(item);
    this.#list.insertBefore(item.root, this.#items[index]?.root ?? null);
    this.#items.splice(index, 0, item);
    if (item.picks?.length) this.#openChoices.push(item);
    this.#decorate(index);
    this.#decorate(index + 1);
    this.#drawStatus(item);
    this.#settleChoices();
    this.#askWhetherItHelped();
    this.follow();
  }

  #take(item) {
    const index = this.#items.indexOf(item);
    this.#items.splice(index, 1);
    item.root.remove();
    this.#decorate(index);
  }

  #draw(item) {
    const name = this.#nameOf(item.author, item.name);
    item.sender = el("p", { class: "sender", "aria-hidden": "true" }, name);
    item.day = el("p", { class: "day" });
    item.status = el("span", { class: "status" });
    // The bubble keeps to the side of its author; the words run as their own language does.
    const words = el("div", { dir: "auto" }, ...linkified(textBeside(item.cards, item.text)));
    const bubble = el("div", { class: "bubble" }, spoken(t("said", { name })), words);
    const time = el("time", { datetime: item.at.toISOString() }, clock.format(item.at));
    item.meta = el("p", { class: "meta" }, time, item.status);
    item.root = el("div", { class: `item from-${item.author}`, "data-testid": "message", "data-author": item.author });
    item.root.append(item.day, item.sender, bubble);
    if (item.image) item.root.append(this.#drawPicture(item.image));
    if (item.file) {
      // Told in words for those who do not see it, and shown to everybody else.
      if (/^\[.*\]$/.test(item.text)) bubble.classList.add("visually-hidden");
      item.root.append(this.#on.drawFile(item));
    }
    item.picks = [];
    if (item.cards?.length) item.root.append(drawCards(item.cards, (choice, label) => this.#drawPick(item, choice, label)));
    // What can be picked on a card is not shown once more below it.
    const beside = item.choices.filter((choice) => !item.picks.some((pick) => pick.choice.payload === choice.payload));
    if (beside.length) item.root.append(this.#drawChoices(item, beside));
    item.root.append(item.meta);
    if (typeof item.helpful === "boolean") item.root.append(this.#on.drawRating(item));
    return item.root;
  }

  /** A picture in a frame of fixed size, so that nothing moves when it comes; what cannot be shown is said in words. */
  #drawPicture({ url, alt }) {
    const words = el("p", { class: "picture-words", dir: "auto", "data-testid": "picture-words" }, alt ?? "");
    const src = ownAddress(url);
    if (!src) return words;
    const picture = el("img", { class: "picture", alt: alt ?? "", width: 232, height: 232, loading: "lazy", decoding: "async", "data-testid": "picture" });
    picture.addEventListener("load", () => this.follow());
    picture.addEventListener("error", () => {
      picture.replaceWith(words);
      this.follow();
    });
    picture.src = src;
    return picture;
  }

  #drawChoices(item, choices) {
    const buttons = choices.map((choice) => this.#drawPick(item, choice, [choice.title]));
    return el("div", { class: "choices", role: "group", "aria-label": t("choose") }, ...buttons);
  }

  #drawPick(item, choice, label) {
    const button = el("button", { type: "button", class: "choice", dir: "auto", "data-testid": "choice" }, ...label);
    // Of the answers to one question only one can be picked; what only a card offers stands for itself.
    const pick = { choice, button, isAnswer: item.choices.some(({ payload }) => payload === choice.payload) };
    button.addEventListener("click", () => {
      if (button.disabled) return;
      this.#on.choose(choice);
      this.#settle(item, pick);
    });
    item.picks.push(pick);
    return button;
  }

  /** Under the latest answer while nobody has written since, and under those that were judged. */
  #askWhetherItHelped() {
    const last = this.#items.at(-1);
    if (this.#judged === last) return;
    if (this.#judged && typeof this.#judged.helpful !== "boolean") this.#judged.rating.remove();
    this.#judged = null;
    if (!isAnswer(last) || typeof last.helpful === "boolean") return;
    last.rating = this.#on.drawRating(last);
    last.root.append(last.rating);
    this.#judged = last;
  }

  /** Name, day and spacing depend on the message before. */
  #decorate(index) {
    const item = this.#items[index];
    if (!item) return;
    const before = this.#items[index - 1];
    const sameDay = before && before.at.toDateString() === item.at.toDateString();
    const grouped = sameDay && before.author === item.author && before.name === item.name && item.at - before.at < GROUP_WITHIN_MS;
    item.root.classList.toggle("grouped", Boolean(grouped));
    item.day.textContent = sameDay ? "" : dayOf(item.at);
    item.day.hidden = Boolean(sameDay);
  }

  #drawStatus(item) {
    item.root.dataset.state = item.state;
    if (item.seq !== Infinity) item.root.dataset.seq = item.seq;
    if (item.author !== "customer") return;
    item.status.replaceChildren(...(item.state === "failed" && item.reason ? item.reason : [t(`status.${item.state}`)]));
    if (item.state !== "delivered" || item.seq < (this.#latestOwn?.seq ?? 0)) return;
    this.#latestOwn?.root.classList.remove("latest");
    item.root.classList.add("latest");
    this.#latestOwn = item;
  }

  #action(label, run) {
    const button = el("button", { type: "button", class: "link-button" }, label);
    button.addEventListener("click", run);
    return button;
  }

  /**
   * Close the choices that were used (before a reload, or by typing the same words) and those that a newer set has
   * replaced after the customer spoke: a late "Yes" must not answer another question.
   */
  #settleChoices() {
    for (const item of this.#openChoices) {
      let spokenSince = false;
      for (let index = this.#items.indexOf(item) + 1; index < this.#items.length; index += 1) {
        const later = this.#items[index];
        if (later.author === "customer") {
          for (const pick of item.picks) {
            const isUsed = sameWords(pick.choice.title, later.text) && !(pick.isAnswer && spokenSince);
            if (isUsed) this.#settle(item, pick);
          }
          spokenSince = true;
        } else if (spokenSince && later.choices.length) {
          this.#settle(item, null);
        }
      }
    }
    this.#openChoices = this.#openChoices.filter((item) => item.picks.some((pick) => !pick.settled));
  }

  /** Close what was picked, or without a pick what is too late now; and with an answer the others to its question. */
  #settle(item, chosen) {
    for (const pick of item.picks) {
      const isClosed = pick === chosen || (pick.isAnswer && (chosen?.isAnswer ?? true));
      if (pick.settled || !isClosed) continue;
      pick.settled = true;
      pick.button.disabled = true;
      if (pick !== chosen) continue;
      pick.button.classList.add("chosen");
      pick.button.append(spoken(t("chosen")));
    }
  }
}

const sameWords = (one, other) => one.trim().toLowerCase() === other.trim().toLowerCase();

function dayOf(date) {
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(date).setHours(0, 0, 0, 0)) / 86400000);
  if (days === 0) return t("today");
  return days === 1 ? t("yesterday") : calendar.format(date);
}
