/** What this browser keeps for somebody, each thing under a key of its own: two tabs do not write over each other. */

/** Values by name, in localStorage; what it does not take (blocked, full) is kept for this page only. */
export class Kept {
  #prefix;
  #refused = new Map();

  constructor(prefix) {
    this.#prefix = `${prefix}:`;
  }

  get(name) {
    if (this.#refused.has(name)) return this.#refused.get(name);
    try {
      return JSON.parse(window.localStorage.getItem(this.#prefix + name));
    } catch {
      return null;
    }
  }

  set(name, value) {
    try {
      window.localStorage.setItem(this.#prefix + name, JSON.stringify(value));
      this.#refused.delete(name);
    } catch {
      this.#refused.set(name, value);
    }
  }

  delete(name) {
    this.#refused.delete(name);
    try {
      window.localStorage.removeItem(this.#prefix + name);
    } catch { /* blocked: nothing was stored */ }
  }

  /** The names of all that is kept, also by other tabs. */
  names() {
    return [...new Set([...this.#refused.keys(), ...this.#stored()])];
  }

  clear() {
    for (const name of this.names()) this.delete(name);
  }

  /** Of a `storage` event: the name of what another tab has changed; null where it is about something else. */
  nameIn({ key }) {
    return key?.startsWith(this.#prefix) ? key.slice(this.#prefix.length) : null;
  }

  #stored() {
    try {
      return Object.keys(window.localStorage).map((key) => this.nameIn({ key })).filter((name) => name !== null);
    } catch {
      return [];
    }
  }
}
