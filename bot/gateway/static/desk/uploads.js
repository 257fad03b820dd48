/** Files on their way to the server. They are in memory only: what a reload loses, the page says. */

import { newClientId } from "../outbox.js";
import { words } from "./words.js";

/** What was refused for what it is; sent again, it would be refused again. */
const FOR_GOOD = ["file_refused", "file_too_large", "duplicate_client_id", "lost"];

export class Uploads {
  #api;
  #files;
  #held = new Map(); // {file, request, part} by client id

  /** `files` shows what was sent without asking for it again. */
  constructor(api, files) {
    this.#api = api;
    this.#files = files;
  }

  /** Hold a file until it is sent: what there is to tell of it, and the id under which it is sent. */
  hold(file) {
    const client_id = newClientId();
    this.#held.set(client_id, { file, abort: new AbortController(), part: 0 });
    return { client_id, file: { name: file.name, size: file.size } };
  }

  has(clientId) {
    return this.#held.has(clientId);
  }

  partOf(clientId) {
    return this.#held.get(clientId)?.part ?? 0;
  }

  /** Send what is held: the server's answer. Throws what was refused; `isFinal` where trying again is of no use. */
  async send({ conversation, client_id: clientId }) {
    const held = this.#held.get(clientId);
    const form = new FormData();
    form.append("client_id", clientId);
    form.append("file", held.file, held.file.name);
    held.abort = new AbortController();
    try {
      const answer = await this.#api.upload(`conversations/${conversation}/files`, form, {
        signal: held.abort.signal,
        progress: (part) => this.#advance(clientId, held, part),
      });
      this.#files.keep(answer.file, held.file);
      this.#held.delete(clientId);
      return answer;
    } catch (error) {
      error.isFinal = FOR_GOOD.includes(error.code);
      if (error.more?.reason === "too_many") error.message = words.errors.too_many_files;
      throw error;
    }
  }

  /** Stop sending, or forget what failed. */
  drop(clientId) {
    this.#held.get(clientId)?.abort.abort();
    this.#held.delete(clientId);
  }

  forget() {
    for (const clientId of [...this.#held.keys()]) this.drop(clientId);
  }

  // In its place: the line is not drawn anew for every piece that has gone.
  #advance(clientId, held, part) {
    held.part = part;
    const bar = document.querySelector(`progress[data-upload="${CSS.escape(clientId)}"]`);
    if (bar) bar.value = part;
  }
}
