/** What agents have written and the server has not confirmed: drafts, and messages on their way. Kept over reloads. */

import { newClientId } from "../outbox.js";
import { Shelf } from "../storage.js";

/** Unsent words, one for each conversation and kind ("reply", "note"). */
export class Drafts {
  #shelf;
  #all;

  constructor(agentId) {
    this.#shelf = new Shelf("local", `kasuki-desk:${agentId}:drafts`);
    this.#all = this.#shelf.read() ?? {};
  }

  get(conversation, kind) {
    return this.#all[`${conversation} ${kind}`] ?? "";
  }

  has(conversation) {
    return ["reply", "note"].some((kind) => this.get(conversation, kind).trim() !== "");
  }

  put(conversation, kind, text) {
    const key = `${conversation} ${kind}`;
    if (text) this.#all[key] = text;
    else delete this.#all[key];
    this.#shelf.write(this.#all);
  }

  forget() {
    this.#all = {};
    this.#shelf.remove();
  }
}

/**
 * Entries: {client_id, conversation, kind, text, file, failed, reason}. One is under way at a time in each conversation, so
 * that the second cannot overtake the first; the same entry sent twice is one message, by its client_id.
 */
export class Outgoing {
  #send;
  #onChange;
  #shelf;
  #entries;
  #underWay = new Set();

  /** `send(entry)` does it and may throw; `onChange(conversation, seq)` is called for everything that changes. */
  constructor({ agentId, send, onChange }) {
    this.#send = send;
    this.#onChange = onChange;
    this.#shelf = new Shelf("local", `kasuki-desk:${agentId}:outgoing`);
    // A page that was closed while it sent does not know what became of it: it says so, and sends it again when asked.
    this.#entries = (this.#shelf.read() ?? []).map((entry) => ({ ...entry, failed: true, reason: entry.reason ?? "The page was closed." }));
  }

  of(conversation) {
    return this.#entries.filter((entry) => entry.conversation === conversation);
  }

  add(conversation, kind, text, file = null) {
    this.#entries.push({ client_id: newClientId(), conversation, kind, text, file, failed: false });
    this.#changed(conversation);
    this.#pump(conversation);
  }

  retry(entry) {
    Object.assign(entry, { failed: false, reason: null });
    this.#changed(entry.conversation);
    this.#pump(entry.conversation);
  }

  /** Everything that failed because the server was away, once it is back. */
  retryLost() {
    for (const entry of this.#entries.filter(({ failed, lost }) => failed && lost)) this.retry(entry);
  }

  remove(entry) {
    this.#entries = this.#entries.filter((one) => one !== entry);
    this.#changed(entry.conversation);
  }

  forget() {
    this.#entries = [];
    this.#shelf.remove();
  }

  async #pump(conversation) {
    const entry = this.of(conversation).find(({ failed }) => !failed);
    if (!entry || this.#underWay.has(conversation)) return;
    this.#underWay.add(conversation);
    try {
      const answer = await this.#send(entry);
      this.#entries = this.#entries.filter((one) => one !== entry);
      this.#changed(conversation, answer, entry);
    } catch (error) {
      Object.assign(entry, { failed: true, reason: error.message, lost: Boolean(error.mayPass) });
      // What comes after it waits for a decision as well: an answer without the one before may mean something else.
      for (const later of this.of(conversation)) if (!later.failed) Object.assign(later, { failed: true, reason: "The one before was not sent.", lost: entry.lost });
      this.#changed(conversation);
    } finally {
      this.#underWay.delete(conversation);
    }
    this.#pump(conversation);
  }

  #changed(conversation, answer = null, entry = null) {
    this.#shelf.write(this.#entries);
    this.#onChange(conversation, answer, entry);
  }
}
