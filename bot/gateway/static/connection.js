/** Keeps one live link to the server: chooses the transport, notices a dead one, and backs off before trying again. */

import { openHttp, openSocket, probeSocket } from "./transports.js";

const READY_TIMEOUT_MS = 10000;
const SOCKET_READY_TIMEOUT_MS = 7000;
const STABLE_AFTER_MS = 5000;
const FIRST_BACKOFF_MS = 500;
const LONGEST_BACKOFF_MS = 30000;
const SOCKET_FAILURES_BEFORE_HTTP = 2;
const STALE_AFTER_HIDDEN_MS = 60000;
const FIRST_PROBE_MS = 60000;
const LONGEST_PROBE_MS = 600000;
const WAY_KEPT_MS = 600000;

/** The wait before attempt number `attempt` (from 0): full jitter, so that clients do not return all at once. */
export function backoff(attempt, random = Math.random) {
  return random() * Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempt);
}

/**
 * States: "connecting", "online", "offline" (waiting to try again), "stopped".
 * `hello()` is asked for each attempt; `onFrame(frame, isReady)` gets every frame, `isReady` false before "ready".
 */
export class Connection {
  #hello;
  #shelf;
  #onFrame;
  #onState;
  #transport = null;
  #state = "stopped";
  #attempts = 0;
  #socketFailures = 0;
  #heardFromSocket = false;
  #polls = false; // what came last over HTTP had to be asked for, because streams are blocked
  #floor = 0; // the server's retry_after: never come back sooner
  #retryTimer;
  #readyTimer;
  #stableTimer;
  #probeTimer;
  #probeDelay = FIRST_PROBE_MS;
  #cancelProbe = () => {};
  #hiddenSince = null;

  /** `shelf` keeps what the network was found to block, so that the next page need not find out again. */
  constructor({ hello, shelf, onFrame, onState }) {
    this.#hello = hello;
    this.#shelf = shelf;
    const way = shelf.read();
    if (way && Date.now() - way.at < WAY_KEPT_MS) {
      this.#socketFailures = SOCKET_FAILURES_BEFORE_HTTP;
      this.#polls = way.polls === true;
    }
    this.#onFrame = onFrame;
    this.#onState = onState;
    window.addEventListener("online", () => this.retryNow());
    window.addEventListener("offline", () => this.#lost());
    document.addEventListener("visibilitychange", () => this.#visibilityChanged());
    window.addEventListener("pageshow", (event) => {
      if (event.persisted) this.restart();
    });
  }

  get online() {
    return this.#state === "online";
  }

  /** Whether the link carries frames that matter only now (typing, read); HTTP does not. */
  get live() {
    return this.online && this.#transport.live;
  }

  /** Say hello anew, now: at the start, after the identity changed, or when the link seems dead. */
  restart() {
    this.#attempt();
  }

  /** Stop waiting and try at once. */
  retryNow() {
    if (this.#state !== "offline") return;
    this.#attempts = 0;
    this.#attempt();
  }

  /** Give up until restart(). */
  stop() {
    this.#drop();
    this.#set("stopped");
  }

  /** Send a frame if the link is up; says whether it was handed over. An ack is the only proof of delivery. */
  send(frame) {
    if (!this.online) return false;
    this.#transport.send(frame);
    return true;
  }

  /** Wait at least this long before the next attempt. */
  holdOff(seconds) {
    this.#floor = seconds * 1000;
  }

  #attempt() {
    this.#drop();
    this.#set("connecting");
    const overHttp = this.#socketFailures >= SOCKET_FAILURES_BEFORE_HTTP;
    const open = overHttp ? openHttp : openSocket;
    this.#heardFromSocket = false;
    // A proxy can accept a socket and then carry nothing, so the limit is on "ready", not on opening.
    this.#readyTimer = setTimeout(() => {
      if (!overHttp) this.#socketFailures = SOCKET_FAILURES_BEFORE_HTTP - 1;
      this.#lost();
    }, overHttp ? READY_TIMEOUT_MS : SOCKET_READY_TIMEOUT_MS);
    try {
      this.#transport = open({
        hello: this.#hello(),
        polls: this.#polls,
        onPolling: (polls) => {
          this.#polls = polls;
          this.#keepWay();
        },
        onFrame: (frame) => this.#received(frame, overHttp),
        onClose: () => this.#lost(),
      });
    } catch {
      this.#lost(); // the browser itself refuses sockets here
    }
  }

  #received(frame, overHttp) {
    this.#heardFromSocket = true;
    if (!overHttp) this.#socketFailures = 0;
    if (frame.type === "ready") {
      if (!overHttp) this.#shelf.remove();
      clearTimeout(this.#readyTimer);
      this.#stableTimer = setTimeout(() => (this.#attempts = 0), STABLE_AFTER_MS);
      if (overHttp) this.#scheduleProbe();
      this.#set("online");
    }
    this.#onFrame(frame, this.online);
  }

  #lost() {
    if (this.#state === "stopped" || this.#state === "offline") return;
    const neverReady = this.#state === "connecting";
    if (this.#socketFailures >= SOCKET_FAILURES_BEFORE_HTTP) {
      // HTTP fails as well: the server is away, not the socket blocked, so start again with sockets.
      if (neverReady) this.#socketFailures = 0;
    } else if (neverReady && !this.#heardFromSocket) {
      this.#socketFailures += 1;
    }
    this.#drop();
    const wait = Math.max(this.#floor, backoff(this.#attempts));
    this.#floor = 0;
    this.#attempts += 1;
    this.#retryTimer = setTimeout(() => this.#attempt(), wait);
    this.#set("offline");
  }

  #drop() {
    for (const timer of [this.#retryTimer, this.#readyTimer, this.#stableTimer, this.#probeTimer]) clearTimeout(timer);
    this.#cancelProbe();
    this.#cancelProbe = () => {};
    this.#transport?.close();
    this.#transport = null;
  }

  // HTTP may have been chosen while the server was only restarting, so look now and then whether sockets work.
  #scheduleProbe() {
    this.#probeTimer = setTimeout(() => {
      this.#cancelProbe = probeSocket(() => {
        this.#socketFailures = 0;
        this.#probeDelay = FIRST_PROBE_MS;
        this.restart();
      });
      this.#probeDelay = Math.min(LONGEST_PROBE_MS, this.#probeDelay * 2);
      this.#scheduleProbe();
    }, this.#probeDelay);
  }

  #keepWay() {
    this.#shelf.write({ polls: this.#polls, at: Date.now() });
  }

  #visibilityChanged() {
    if (document.hidden) {
      this.#hiddenSince = Date.now();
      return;
    }
    const away = this.#hiddenSince === null ? 0 : Date.now() - this.#hiddenSince;
    this.#hiddenSince = null;
    // A phone that slept keeps a socket that is dead without knowing it.
    if (this.online && away > STALE_AFTER_HIDDEN_MS) this.restart();
    else this.retryNow();
  }

  #set(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.#onState(state);
  }
}
