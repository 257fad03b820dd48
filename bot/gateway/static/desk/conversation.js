/** The conversation on the screen: fetched, shown in the middle and on the right, and kept up to date. */

import { isMine } from "./actions.js";
import { drawHead, drawViewers, hideHead, whyNot } from "./head.js";
import { attempt, toast } from "./widgets.js";
import { nameOf, readable, words } from "./words.js";

const $ = (id) => document.getElementById(id);
const LOOK_AGAIN_MS = 150;
const PAUSE_MS = 2500;

export class OpenConversation {
  /** What the server told of it last; null where none is open. */
  detail = null;
  #of;
  #opening = null; // the one that is wanted on the screen, from the moment it is asked for
  #viewers = [];
  #isStale = false;
  #wasMine = false;
  #looking = null;
  #lookedAt = 0;
  #seen = {};
  #focused = null; // what had the keyboard in the conversation that is left

  /**
   * `of` has api, live, lists, thread, reply and panel; me(), actions() and outgoing() for whoever is signed in; and
   * left(), called when none is open any more.
   */
  constructor(of) {
    this.#of = of;
  }

  /** Its line as lists have it, or null. */
  get row() {
    return this.detail?.conversation ?? null;
  }

  isOpen(id) {
    return this.row !== null && this.row.id === id;
  }

  /** Whether one is on its way to the screen: nothing can be done until it is there. */
  get isLoading() {
    return this.#opening !== null && !this.isOpen(this.#opening);
  }

  close() {
    const { live, thread, panel, reply, lists, left } = this.#of;
    this.detail = this.#opening = null;
    this.#setBusy(false);
    live.watch(null);
    thread.clear();
    panel.clear();
    reply.hide();
    lists.mark(null);
    hideHead();
    $("stage").hidden = true;
    $("nothing").hidden = false;
    $("console").dataset.showing = "list";
    left();
  }

  /** Another page is on the screen: the others need not think that somebody looks on. */
  lookAway() {
    this.#of.live.watch(null);
  }

  async load(id) {
    const isOther = !this.isOpen(id);
    if (this.#opening !== id) this.#isStale = false;
    this.#opening = id;
    if (isOther) this.#leave(id);
    this.#of.live.watch(id);
    let detail;
    const done = await attempt(async () => (detail = await this.#of.api.get(`conversations/${encodeURIComponent(id)}`)));
    if (this.#opening !== id) return; // another one was opened meanwhile
    if (!done) return isOther ? this.close() : undefined;
    this.detail = detail;
    this.#setBusy(false);
    this.#lookedAt = Date.now();
    this.#viewers = detail.viewers ?? [];
    this.#show(isOther);
    // It changed while it was on its way.
    if (this.#isStale) this.changed(id);
    this.#isStale = false;
  }

  /** What is on the screen is not the one that is wanted: until that is here, nothing can be written or done. */
  #leave(id) {
    this.detail = null;
    this.#of.reply.leave();
    this.#setBusy(true);
    this.#of.lists.mark(id);
  }

  #setBusy(isBusy) {
    const { activeElement } = document;
    for (const name of ["thread", "panel"]) {
      if (isBusy && $(name).contains(activeElement)) this.#focused = activeElement;
      $(name).inert = isBusy;
    }
    $("thread").setAttribute("aria-busy", String(isBusy));
    if (isBusy) return;
    // Whoever was there, and went nowhere else, is there again.
    if (document.activeElement === document.body) this.#focused?.focus({ preventScroll: true });
    this.#focused = null;
  }

  #show(isOther) {
    const { actions, thread, outgoing, reply, panel, lists, me } = this.#of;
    const { row } = this;
    $("stage").hidden = false;
    $("nothing").hidden = true;
    $("console").dataset.showing = "thread";
    drawHead(row, me());
    actions().draw($("actions"), row);
    thread.show(this.detail);
    thread.showPending(outgoing().of(row.id));
    const mine = isMine(row, me());
    reply.show(row.id, { mayReply: mine, why: whyNot(row) });
    panel.draw(this.detail);
    drawViewers(this.#viewers, me());
    lists.mark(row.id);
    this.markRead();
    const isNew = mine && !this.#wasMine;
    this.#wasMine = mine;
    if (isNew && !isOther) return reply.choose("reply");
    if (isOther && mine && matchMedia("(pointer: fine)").matches && !$("rows").contains(document.activeElement)) reply.focus();
  }

  /** Show what was said before the first message that is shown. */
  async earlier(before) {
    const { id } = this.row;
    await attempt(async () => {
      const { messages } = await this.#of.api.get(`conversations/${encodeURIComponent(id)}`, { before });
      if (this.isOpen(id)) this.#of.thread.addEarlier(messages);
    });
  }

  /** Tell the server how far this agent has seen what is theirs. */
  markRead() {
    const { row } = this;
    const { lastSeq } = this.#of.thread;
    if (!row || document.hidden || !isMine(row, this.#of.me()) || (lastSeq <= (this.#seen[row.id] ?? 0) && !row.unread)) return;
    this.#seen[row.id] = lastSeq;
    row.unread = 0; // what was passed on to others, and comes back, has been read by nobody again
    // Counted anew once it is kept: what was fetched meanwhile may still call it unread.
    const kept = this.#of.api.post(`conversations/${row.id}/read`, { seq: lastSeq });
    kept.then(() => this.#of.lists.refresh({ hurry: true })).catch(() => {});
  }

  /** Something may have changed: look again soon, but not all the time, as each look at a customer is noted. */
  changed(id, pause = 0) {
    this.#of.lists.refresh({ hurry: pause === 0 });
    if (id === this.#opening && !this.isOpen(id)) this.#isStale = true;
    if (!this.isOpen(id) || (this.#looking && pause)) return;
    const wait = pause ? Math.max(LOOK_AGAIN_MS, this.#lookedAt + pause - Date.now()) : LOOK_AGAIN_MS;
    clearTimeout(this.#looking);
    this.#looking = setTimeout(() => {
      this.#looking = null;
      // Not while another one is on its way to the screen: that one is wanted.
      if (this.isOpen(id) && this.#opening === id && !$("console").hidden) this.load(id);
    }, wait);
  }

  /** The link to the server was lost for a while: whatever happened meanwhile was not heard. */
  catchUp() {
    if (this.isLoading) this.#isStale = true;
    if (this.detail && Date.now() - this.#lookedAt > LOOK_AGAIN_MS) this.changed(this.row.id);
  }

  /** Its line in a list was told anew: is there more to it than what is on the screen? */
  compare(row) {
    if (!row || !this.isOpen(row.id)) return;
    const { thread } = this.#of;
    if (row.read_seq > (this.row.read_seq ?? 0)) thread.readUntil(row.read_seq);
    const facts = ({ stage, agent, labels, offered_to_me: offered, snoozed_until: until }) => JSON.stringify([stage, agent?.id, labels, offered, until]);
    if (facts(row) !== facts(this.row) || row.seq > thread.lastSeq) this.changed(row.id);
  }

  /** What the server says of a conversation. */
  receive(frame) {
    const here = Boolean(frame.conversation_id) && this.isOpen(frame.conversation_id);
    if (frame.type === "changed") this.changed(frame.conversation_id ?? null, PAUSE_MS);
    else if (frame.type === "message") this.#messageCame(frame, here);
    else if (frame.type === "read" && here) this.#of.thread.readUntil(frame.seq);
    else if (frame.type === "viewers" && here) {
      this.#viewers = frame.viewers ?? [];
      drawViewers(this.#viewers, this.#of.me());
    } else if (frame.type === "typing" && here) this.#someoneTypes(frame);
  }

  #messageCame({ conversation_id: id, message }, here) {
    this.#of.lists.refresh();
    if (!here) return;
    // A gap means that frames were lost: look at the whole again.
    if (!this.#of.thread.add(message)) this.changed(id);
    this.markRead();
  }

  #someoneTypes({ author, text }) {
    const { row } = this;
    const { thread, me } = this.#of;
    if (author === "customer") thread.showTyping(nameOf(row.customer), text);
    else if (author === "bot") thread.showTyping(words.authors.bot, "");
    // Only whoever has it types to the customer: where that is oneself, it is one's own.
    else if (!isMine(row, me())) thread.showTyping(row.agent?.name ?? "A colleague", "");
  }

  /** What a message was meant as. */
  async teach(message, intent) {
    const { id } = this.row;
    const done = await attempt(() => this.#of.api.post(`messages/${id}/${message.seq}/teach`, { intent }));
    if (!done) return;
    if (this.isOpen(id)) this.#of.thread.taught(message.seq, intent);
    toast(`Thank you. It is on the list to be taught as “${readable(intent)}”.`);
  }

  /** A question that the assistant should have an answer to. */
  draft(question) {
    return attempt(async () => {
      await this.#of.api.post("knowledge", { question, conversation_id: this.row.id });
      toast("Noted as an unanswered question.");
    });
  }

  /** What canned replies are filled with. */
  placeholders() {
    const { customer, summary } = this.detail;
    const name = customer?.name ?? this.row.customer?.name ?? this.row.customer?.claimed?.name;
    const order = summary?.order_number ?? summary?.order ?? customer?.orders?.[0]?.number;
    return { name: name?.split(" ")[0], order: typeof order === "string" ? order : null, agent: this.#of.me().name.split(" ")[0] };
  }
}
