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
 * Entries: {client_id, conversation, kind, text, file, failed, reason, isFinal}; kinds are "reply", "note" and "file". In each
 * conversation one is under way at a time, so that the second cannot overtake the first; the same entry sent twice is one
 * message, by its client_id. Words do not wait for files, which may take long; files wait for the words before them.
 */
export class Outgoing {
  #send;
  #onChange;
  #shelf;
  #entries;
  #underWay = new Set();

  /**
   * `send(entry)` does it and may throw; `onChange(conversation, answer, entry)` is called for everything that changes;
   * `holds(clientId)` says whether a file is still there to be sent.
   */
  constructor({ agentId, send, onChange, holds = () => false }) {
    this.#send = send;
    this.#onChange = onChange;
    this.#shelf = new Shelf("local", `kasuki-desk:${agentId}:outgoing`);
    // A page that was closed while it sent does not know what became of it: it says so, and sends it again when asked.
    this.#entries = (this.#shelf.read() ?? []).map((entry) => {
      const isLost = entry.kind === "file" && !holds(entry.client_id);
      const reason = isLost ? "The page was loaded anew: please choose the file again." : entry.reason ?? "The page was closed.";
      return { ...entry, failed: true, reason, isFinal: isLost || entry.isFinal, lost: entry.lost && !isLost };
    });
  }

  of(conversation) {
    return this.#entries.filter((entry) => entry.conversation === conversation);
  }

  add(conversation, kind, text) {
    this.#begin({ client_id: newClientId(), conversation, kind, text });
  }

  /** Send a file that is held under a client id. */
  addFile(conversation, { client_id: clientId, file }) {
    this.#begin({ client_id: clientId, conversation, kind: "file", text: "", file });
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

  #begin(entry) {
    this.#entries.push({ ...entry, failed: false });
    this.#changed(entry.conversation);
    this.#pump(entry.conversation);
  }

  #pump(conversation) {
    const waiting = this.of(conversation).filter(({ failed }) => !failed);
    this.#deliver(waiting.find(({ kind }) => kind !== "file"), `${conversation} words`);
    this.#deliver(waiting[0]?.kind === "file" ? waiting[0] : undefined, `${conversation} files`);
  }

  async #deliver(entry, lane) {
    if (!entry || this.#underWay.has(lane)) return;
    const { conversation } = entry;
    this.#underWay.add(lane);
    try {
      const answer = await this.#send(entry);
      this.#entries = this.#entries.filter((one) => one !== entry);
      this.#changed(conversation, answer, entry);
    } catch (error) {
      // Unless it was taken back meanwhile.
      if (this.#entries.includes(entry)) this.#failed(entry, error);
    } finally {
      this.#underWay.delete(lane);
    }
    this.#pump(conversation);
  }

  #failed(entry, error) {
    Object.assign(entry, { failed: true, reason: error.message, lost: Boolean(error.mayPass), isFinal: Boolean(error.isFinal) });
    const after = this.of(entry.conversation).slice(this.of(entry.conversation).indexOf(entry) + 1);
    // What comes after words waits for a decision as well: an answer without the one before may mean something else.
    for (const later of entry.kind === "file" ? [] : after) {
      if (!later.failed) Object.assign(later, { failed: true, reason: "The one before was not sent.", lost: entry.lost });
    }
    this.#changed(entry.conversation);
  }

  #changed(conversation, answer = null, entry = null) {
    this.#shelf.write(this.#entries);
    this.#onChange(conversation, answer, entry);
  }
}
