/** Asks the server, and turns whatever goes wrong into words that a person can act on. */

import { words } from "./words.js";

const TIMEOUT_MS = 20000;
const FILE_TIMEOUT_MS = 300000;

/** A request that did not do what it was for. `code` is the server's, or "offline" where it was not reached. */
export class Refused extends Error {
  constructor(code, message, status = 0, more = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.more = more;
  }

  /** Whether the same request may well work later. */
  get mayPass() {
    return this.code === "offline" || this.status === 429 || this.status >= 500;
  }
}

/** The desk's API. The session is a cookie that no script can read; the token proves that it is this page that asks. */
export class Api {
  /** Called when the session is over. */
  onSignedOut = () => {};
  /** How far the server's clock is ahead of this one, in milliseconds. */
  ahead = 0;
  #csrf = "";

  set csrf(token) {
    this.#csrf = token ?? "";
  }

  get(path, query = {}) {
    const wanted = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
    const tail = wanted.length ? `?${new URLSearchParams(wanted)}` : "";
    return this.#ask("GET", path + tail);
  }

  post(path, body = {}) {
    return this.#ask("POST", path, body);
  }

  put(path, body = {}) {
    return this.#ask("PUT", path, body);
  }

  patch(path, body = {}) {
    return this.#ask("PATCH", path, body);
  }

  delete(path) {
    return this.#ask("DELETE", path, {});
  }

  /** What is in a file of a conversation. */
  async file(id) {
    let response;
    try {
      response = await fetch(`/desk/api/files/${encodeURIComponent(id)}`, { credentials: "same-origin", signal: AbortSignal.timeout(FILE_TIMEOUT_MS) });
      if (response.ok) return await response.blob();
    } catch {
      throw new Refused("offline", words.offline);
    }
    return this.#answered("files", response.status, await readJson(response).catch(() => null));
  }

  /** Send a form; `progress(part)` is told how much of it has gone, and `signal` stops it. */
  upload(path, form, { progress, signal }) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest(); // fetch tells nothing of how far a body has gone
      const lost = () => reject(new Refused("offline", words.offline));
      request.open("POST", `/desk/api/${path}`);
      request.responseType = "json";
      request.timeout = FILE_TIMEOUT_MS;
      request.setRequestHeader("X-CSRF-Token", this.#csrf);
      request.upload.onprogress = ({ loaded, total }) => progress(loaded / total);
      request.onerror = request.ontimeout = request.onabort = lost;
      request.onload = () => {
        try {
          resolve(this.#answered(path, request.status, request.response));
        } catch (error) {
          reject(error);
        }
      };
      signal.addEventListener("abort", () => request.abort());
      request.send(form);
    });
  }

  async #ask(method, path, body) {
    const headers = { Accept: "application/json" };
    const request = { method, headers, credentials: "same-origin", signal: AbortSignal.timeout(TIMEOUT_MS) };
    if (method !== "GET") {
      headers["X-CSRF-Token"] = this.#csrf;
      headers["Content-Type"] = "application/json";
      request.body = JSON.stringify(body);
    }
    let response, answer;
    try {
      response = await fetch(`/desk/api/${path}`, request);
      answer = await readJson(response);
    } catch {
      throw new Refused("offline", words.offline);
    }
    this.#setClock(response);
    return this.#answered(path, response.status, answer);
  }

  /** The answer, if the request did what it was for. */
  #answered(path, status, answer) {
    if (status >= 200 && status < 300) return answer;
    const { code = "internal_error", detail, ...more } = answer ?? {};
    if (status === 401 && path !== "login" && path !== "password") this.onSignedOut();
    throw new Refused(code, detail ?? words.errors.unknown, status, more);
  }

  #setClock(response) {
    const at = Date.parse(response.headers.get("Date") ?? "");
    if (Number.isNaN(at)) return;
    const ahead = at + 500 - Date.now(); // the header tells whole seconds, cut off
    this.ahead = Math.abs(ahead) < 2000 ? 0 : ahead;
  }
}

async function readJson(response) {
  const text = await response.text();
  if (!text) return null;
  try {
    return JSON.parse(text);
  } catch {
    return response.ok ? text : null;
  }
}
