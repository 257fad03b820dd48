/** What agents have written and the server has not confirmed: drafts, and messages on their way. Kept over reloads. */

import { newClientId } from "../outbox.js";
import { Shelf } from "../storage.js";
import { Kept } from "./kept.js";

// A tab that has not heard of a message for so long is gone.
const WORDS_LAST_MS = 60000;
const FILES_LAST_MS = 330000;

/** Unsent words, one for each conversation and kind ("reply", "note"). */
export class Drafts {
  #kept;

  constructor(agentId) {
    this.#kept = new Kept(`kasuki-desk:${agentId}:drafts`);
  }

  get(conversation, kind) {
    return this.#kept.get(`${conversation} ${kind}`) ?? "";
  }

  has(conversation) {
    return ["reply", "note"].some((kind) => this.get(conversation, kind).trim() !== "");
  }

  put(conversation, kind, text) {
    if (text) this.#kept.set(`${conversation} ${kind}`, text);
    else this.#kept.delete(`${conversation} ${kind}`);
  }

  /** Of a `storage` event: what was written in another tab, as [conversation, kind]; null where it is about something else. */
  writtenIn(event) {
    return this.#kept.nameIn(event)?.split(" ") ?? null;
  }

  forget() {
    this.#kept.clear();
  }
}

/**
 * Entries: {client_id, conversation, kind, text, file, failed, reason, isFinal, tab, written, sent}; kinds are "reply", "note" and "file". In each
 * conversation one is under way at a time, so that the second cannot overtake the first; the same entry sent twice is one
 * message, by its client_id. Words do not wait for files, which may take long; files wait for the words before them.
 * What another tab is sending is left to it: only what failed there, or what it left behind, is shown here as well.
 */
export class Outgoing {
  #send;
  #onChange;
  #holds;
  #kept;
  #tab;
  #entries = [];
  #underWay = new Set();

  /**
   * `send(entry)` does it and may throw; `onChange(conversation, answer, entry)` is called for everything that changes;
   * `holds(clientId)` says whether a file is still there to be sent.
   */
  constructor({ agentId, send, onChange, holds = () => false }) {
    this.#send = send;
    this.#onChange = onChange;
    this.#holds = holds;
    this.#tab = idOfTab();
    this.#kept = new Kept(`kasuki-desk:${agentId}:outgoing`);
    for (const name of this.#kept.names()) this.#take(this.#kept.get(name));
  }

  /** A `storage` event: another tab has sent something, or could not, or tries again. */
  heard(event) {
    const name = this.#kept.nameIn(event);
    const known = this.#entries.find((entry) => entry.client_id === name);
    // What is on its way from here is this tab's to tell of.
    if (name === null || (known && !known.failed)) return;
    this.#entries = this.#entries.filter((entry) => entry !== known);
    const entry = this.#kept.get(name);
    if (entry) this.#take(entry);
    this.#onChange((known ?? entry)?.conversation, null, null);
  }

  // A page that was closed while it sent does not know what became of it: it says so, and sends it again when asked.
  #take(entry) {
    const isFile = entry.kind === "file";
    const isOthers = entry.tab !== this.#tab;
    const left = entry.sent + (isFile ? FILES_LAST_MS : WORDS_LAST_MS) - Date.now();
    if (isOthers && left > 0 && (isFile || !entry.failed)) return void setTimeout(() => this.#takeLater(entry), left);
    const isLost = isFile && !this.#holds(entry.client_id);
    const reason = isLost ? "The page was loaded anew: please choose the file again." : entry.reason ?? "The page was closed.";
    this.#entries.push({ ...entry, failed: true, reason, isFinal: isLost || entry.isFinal, lost: entry.lost && !isLost });
    this.#entries.sort((one, other) => one.written - other.written);
  }

  #takeLater({ client_id: clientId }) {
    const entry = this.#kept.get(clientId);
    if (!entry || this.#entries.some((one) => one.client_id === clientId)) return;
    this.#take(entry);
    this.#onChange(entry.conversation, null, null);
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
    Object.assign(entry, { failed: false, reason: null, tab: this.#tab, sent: Date.now() });
    this.#keep(entry);
    this.#onChange(entry.conversation, null, null);
    this.#pump(entry.conversation);
  }

  /** Everything that failed because the server was away, once it is back. */
  retryLost() {
    for (const entry of this.#entries.filter(({ failed, lost, tab }) => failed && lost && tab === this.#tab)) this.retry(entry);
  }

  remove(entry) {
    this.#drop(entry);
    this.#onChange(entry.conversation, null, null);
  }

  forget() {
    this.#entries = [];
    this.#kept.clear();
  }

  #begin(about) {
    const entry = { ...about, failed: false, tab: this.#tab, written: Date.now(), sent: Date.now() };
    this.#entries.push(entry);
    this.#keep(entry);
    this.#onChange(entry.conversation, null, null);
    this.#pump(entry.conversation);
  }

  #keep(entry) {
    this.#kept.set(entry.client_id, entry);
  }

  #drop(entry) {
    this.#entries = this.#entries.filter((one) => one !== entry);
    this.#kept.delete(entry.client_id);
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
    entry.sent = Date.now();
    this.#keep(entry);
    try {
      const answer = await this.#send(entry);
      this.#drop(entry);
      this.#onChange(conversation, answer, entry);
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
      this.#keep(later);
    }
    this.#keep(entry);
    this.#onChange(entry.conversation, null, null);
  }
}

/** What tells this tab from the others, also after it was loaded anew. */
function idOfTab() {
  const shelf = new Shelf("session", "kasuki-desk:tab");
  const id = shelf.read() ?? newClientId();
  shelf.write(id);
  return id;
}
