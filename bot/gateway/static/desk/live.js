/** The live link to the server: says what changed, and who else is there; comes back by itself when it is lost. */

import { backoff } from "../connection.js";

const READY_TIMEOUT_MS = 10000;
const STABLE_AFTER_MS = 5000;
// The server says something every twenty seconds; a computer that slept keeps a socket that is dead without knowing it.
const SILENT_AFTER_MS = 65000;

/** States: "connecting", "online", "offline". After each "online" whoever listens must catch up: frames may be lost. */
export class Live {
  #on;
  #socket = null;
  #state = "stopped";
  #attempts = 0;
  #heardAt = 0;
  #watched = null;
  #retryTimer;
  #readyTimer;
  #stableTimer;
  #pulse;

  /** `on` has frame(frame), state(state), and ask(): called when it is unclear whether the session is still good. */
  constructor(on) {
    this.#on = on;
    window.addEventListener("online", () => this.retryNow());
    window.addEventListener("offline", () => this.#lost());
    document.addEventListener("visibilitychange", () => !document.hidden && this.retryNow());
    window.addEventListener("pageshow", (event) => event.persisted && this.#state !== "stopped" && this.start());
  }

  get online() {
    return this.#state === "online";
  }

  start() {
    if (!this.#pulse) {
      this.#pulse = new Worker("/static/desk/pulse.js", { type: "module" });
      this.#pulse.addEventListener("message", () => this.#beat());
    }
    this.#attempt();
  }

  stop() {
    this.#drop();
    this.#pulse?.terminate();
    this.#pulse = null;
    this.#watched = null;
    this.#set("stopped");
  }

  retryNow() {
    if (this.#state !== "offline") return;
    this.#attempts = 0;
    this.#attempt();
  }

  /** Which conversation is on the screen, so that the others at the desk know; null for none. */
  watch(conversationId) {
    if (this.#watched === conversationId) return;
    this.#watched = conversationId;
    this.send({ type: "watch", conversation_id: conversationId });
  }

  send(frame) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  #attempt() {
    this.#drop();
    this.#set("connecting");
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/desk/ws`);
    this.#socket = socket;
    // A proxy can accept a socket and then carry nothing, so the limit is on "hello", not on opening.
    this.#readyTimer = setTimeout(() => this.#lost(), READY_TIMEOUT_MS);
    socket.addEventListener("message", (event) => {
      if (socket === this.#socket) this.#received(event.data);
    });
    socket.addEventListener("close", () => {
      if (socket === this.#socket) this.#lost();
    });
  }

  #beat() {
    if (this.online && Date.now() - this.#heardAt > SILENT_AFTER_MS) this.#lost();
    else this.send({ type: "here" });
  }

  #received(data) {
    this.#heardAt = Date.now();
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    if (frame.type === "hello") {
      clearTimeout(this.#readyTimer);
      this.#stableTimer = setTimeout(() => (this.#attempts = 0), STABLE_AFTER_MS);
      if (this.#watched) this.send({ type: "watch", conversation_id: this.#watched });
      this.send({ type: "here" });
      this.#set("online");
    }
    this.#on.frame(frame);
  }

  #lost() {
    if (this.#state === "stopped" || this.#state === "offline") return;
    const neverReady = this.#state === "connecting";
    this.#drop();
    this.#retryTimer = setTimeout(() => this.#attempt(), backoff(this.#attempts));
    this.#attempts += 1;
    this.#set("offline");
    // A socket that is refused does not say why: ask over HTTP whether one is still signed in.
    if (neverReady) this.#on.ask();
  }

  #drop() {
    for (const timer of [this.#retryTimer, this.#readyTimer, this.#stableTimer]) clearTimeout(timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #set(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#on.state(state);
  }
}
