/** What the panel keeps between page loads; where storage is blocked it keeps it for this page only. */

/** A named JSON value in localStorage ("local") or sessionStorage ("session"). */
export class Shelf {
  #kind;
  #key;
  #fallback = null;

  constructor(kind, key) {
    this.#kind = kind;
    this.#key = key;
  }

  get key() {
    return this.#key;
  }

  read() {
    try {
      const raw = this.#area().getItem(this.#key);
      return raw === null ? this.#fallback : JSON.parse(raw);
    } catch {
      return this.#fallback;
    }
  }

  write(value) {
    this.#fallback = value;
    try {
      this.#area().setItem(this.#key, JSON.stringify(value));
    } catch { /* blocked or full: the fallback serves this page */ }
  }

  remove() {
    this.#fallback = null;
    try {
      this.#area().removeItem(this.#key);
    } catch { /* blocked: nothing was stored */ }
  }

  // Looked up each time because merely naming a blocked storage throws.
  #area() {
    return this.#kind === "local" ? window.localStorage : window.sessionStorage;
  }
}
