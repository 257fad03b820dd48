/** What the customer has sent and the server has not yet confirmed: kept, in order, until it is. */

const ACK_TIMEOUT_MS = 15000;

/** A UUID; randomUUID exists only on secure pages, and a shop may try the widget on plain http first. */
export function newClientId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/**
 * Entries: {client_id, type: "message", text} or {client_id, type: "choice", payload, text: the choice's title}, each with
 * `sent` (it has been handed to the network at least once) and `failed` (the server refused it).
 * One entry is under way at a time: a refusal of the first must not let the second overtake it.
 */
export class Outbox {
  #entries;
  #shelf;
  #send;
  #onStuck;
  #timer;
  #inFlight = null;

  constructor({ shelf, send, onStuck }) {
    this.#shelf = shelf;
    this.#send = send;
    this.#onStuck = onStuck;
    this.#entries = shelf.read() ?? [];
  }

  get entries() {
    return this.#entries;
  }

  find(clientId) {
    return this.#entries.find((entry) => entry.client_id === clientId);
  }

  add(entry) {
    this.#entries.push({ sent: false, failed: false, ...entry });
    this.#save();
    this.pump();
    return this.#entries.at(-1);
  }

  /** Send the oldest waiting entry, unless one is under way. */
  pump() {
    const entry = this.#entries.find((each) => !each.failed);
    if (!entry || this.#inFlight) return;
    const { client_id, type } = entry;
    const frame = type === "choice" ? { type, client_id, payload: entry.payload } : { type, client_id, text: entry.text };
    if (!this.#send(frame)) return;
    this.#inFlight = client_id;
    entry.sent = true;
    this.#save();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#onStuck, ACK_TIMEOUT_MS);
  }

  /** The link was lost or made anew: what was under way must be sent again, with the same client_id. */
  reset() {
    this.#inFlight = null;
    clearTimeout(this.#timer);
  }

  /** Take an entry out: it was delivered, or the customer gave it up. */
  remove(clientId) {
    this.#entries = this.#entries.filter((entry) => entry.client_id !== clientId);
    this.#settle(clientId);
  }

  /** Keep an entry that the server refused, without sending it again. */
  fail(clientId) {
    const entry = this.find(clientId);
    if (entry) entry.failed = true;
    this.#settle(clientId);
  }

  /** Send the same entry again after a while: the server is busy, not unwilling. */
  postpone(seconds) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#inFlight = null;
      this.pump();
    }, seconds * 1000);
  }

  clear() {
    this.reset();
    this.#entries = [];
    this.#shelf.remove();
  }

  #settle(clientId) {
    if (this.#inFlight === clientId) this.reset();
    this.#save();
    this.pump();
  }

  #save() {
    this.#shelf.write(this.#entries);
  }
}
