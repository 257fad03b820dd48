/** Files that the customer sends and receives: chosen, dropped or pasted, on their way, and shown in the conversation. */

import { config } from "./config.js";
import { el } from "./dom.js";
import { newClientId } from "./outbox.js";
import { faultOf, takeDropped } from "./taken-files.js";
import { locale, t } from "./texts.js";

const SHOWN = /^image\/(png|jpeg|gif|webp)$/;
const AGAIN = ["unavailable", "rate_limited", "too_slow"]; // sent again, it may well be taken
const LOST_AFTER_MS = 1500;

const inKilobytes = new Intl.NumberFormat(locale, { style: "unit", unit: "kilobyte", maximumFractionDigits: 0 });
const inMegabytes = new Intl.NumberFormat(locale, { style: "unit", unit: "megabyte", maximumFractionDigits: 1 });
const sizeOf = (bytes) => (bytes < 1024000 ? inKilobytes.format(Math.max(1, bytes / 1024)) : inMegabytes.format(bytes / 2 ** 20));

/**
 * Uploads are held in memory: a file cannot be kept for another page load, so what a reload loses is said.
 * `on` has token(), show(entry), deliver(clientId, seq), fail(clientId, words, canRetry), remove(clientId), say(words),
 * announce(words), greet() and follow().
 */
export class Files {
  #on;
  #shelf;
  #uploads = []; // {client_id, file, node, request, failed, broken}, oldest first; one at a time is under way
  #lost;
  #addresses = new Set();

  constructor({ button, input, zone, text, shelf, on }) {
    this.#on = on;
    this.#shelf = shelf;
    this.#lost = shelf.read() ?? [];
    button.addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      this.#add([...input.files]);
      input.value = "";
      text.focus({ preventScroll: true });
    });
    text.addEventListener("paste", (event) => {
      // What a word processor copies is a text, and a picture of it.
      if (!event.clipboardData.files.length || event.clipboardData.types.includes("text/plain")) return;
      event.preventDefault();
      this.#add([...event.clipboardData.files]);
    });
    zone.dataset.drop = t("file.drop");
    const isOpen = () => button.offsetParent !== null; // not while questions are to be answered first
    takeDropped({
      mark: (within) => zone.classList.toggle("dropping", within && isOpen()),
      take: (files) => isOpen() && this.#add(files),
    });
  }

  has(clientId) {
    return this.#find(clientId) !== undefined;
  }

  /** The chat is connected (again): go on with what waits. */
  resume() {
    for (const { client_id, broken } of [...this.#uploads]) if (broken) this.retry(client_id);
    this.#send();
    setTimeout(() => this.#sayLost(), LOST_AFTER_MS);
  }

  /** The server has this message: a file of ours, perhaps, also one from before a reload. */
  heard(clientId, seq) {
    this.#lost = this.#lost.filter((each) => each.client_id !== clientId);
    const upload = this.#find(clientId);
    if (!upload) return;
    upload.node.querySelector(".file-progress")?.remove();
    this.#on.deliver(clientId, seq);
    this.#on.announce(t("file.sent", { name: upload.file.name }));
    this.#drop(upload);
  }

  /** With the same id: what was sent perhaps has come. */
  retry(clientId) {
    const upload = this.#find(clientId);
    upload.failed = upload.broken = false;
    this.#on.remove(clientId);
    this.#show(upload);
    this.#send();
  }

  /** The conversation on the screen was cleared: show what waits once more, and begin it anew. */
  again() {
    for (const upload of this.#uploads) {
      upload.request?.abort();
      upload.request = null;
      this.#show(upload);
    }
  }

  clear() {
    for (const { request } of this.#uploads) request?.abort();
    this.#uploads = [];
    this.#lost = [];
    this.#shelf.remove();
    for (const address of this.#addresses) URL.revokeObjectURL(address);
    this.#addresses.clear();
  }

  /** What a message with a file shows: a picture, or its name and size. `local` is there for what is sent from here. */
  draw({ file, clientId }) {
    const upload = this.#find(clientId);
    const node = el("div", { class: "file", "data-testid": "file" });
    const local = upload?.file ?? null;
    node.append(SHOWN.test(file.media_type) ? this.#picture(file, local) : this.#chip(file, local));
    if (upload) {
      upload.node = node;
      node.append(this.#progress(upload));
    }
    return node;
  }

  // ---- sending

  #add(files) {
    const faults = [];
    for (const file of files) {
      const fault = faultOf(file);
      if (fault) faults.push(t(`file.${fault}`, { name: file.name }));
      else this.#begin(file);
    }
    this.#on.say(faults.join(" "));
    this.#send();
  }

  #begin(file) {
    const upload = { client_id: newClientId(), file, node: null, request: null, failed: false };
    this.#uploads.push(upload);
    this.#keepNames();
    this.#show(upload);
    this.#on.announce(t("file.sending", { name: file.name }));
  }

  #show({ client_id, file }) {
    const about = { name: file.name, size: file.size, media_type: file.type };
    this.#on.show({ client_id, text: `[${file.name}]`, file: about });
  }

  #find(clientId) {
    return this.#uploads.find((upload) => upload.client_id === clientId);
  }

  #drop(upload) {
    this.#uploads = this.#uploads.filter((each) => each !== upload);
    this.#keepNames();
    this.#send();
  }

  #keepNames() {
    // What was refused is not lost: it was said at once that it is not sent.
    const waiting = this.#uploads.filter(({ failed, broken }) => !failed || broken);
    this.#shelf.write(waiting.map(({ client_id, file }) => ({ client_id, name: file.name })));
  }

  #send() {
    const token = this.#on.token();
    const upload = this.#uploads.find((each) => !each.failed);
    if (!token || !upload || upload.request) return;
    const form = new FormData();
    form.append("client_id", upload.client_id);
    form.append("file", upload.file, upload.file.name);
    const request = new XMLHttpRequest(); // fetch tells nothing of how far a body has gone
    upload.request = request;
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => this.#advance(upload, loaded / total);
    request.onload = () => this.#answered(upload, request);
    request.onerror = request.ontimeout = () => this.#broken(upload);
    request.open("POST", "/chat/files");
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.send(form);
  }

  #advance(upload, part) {
    const bar = upload.node?.querySelector("progress");
    if (bar) bar.value = part;
  }

  #answered(upload, { response, status }) {
    upload.request = null;
    if (!this.has(upload.client_id)) return;
    if (response?.type === "ack") {
      this.heard(upload.client_id, response.seq);
      this.#on.say("");
      return;
    }
    const { code, reason, message, retry_after: seconds } = response ?? {};
    if (code === "rate_limited") {
      setTimeout(() => this.#send(), (seconds ?? 5) * 1000);
    } else if (code === "unauthorized" && !upload.greeted) {
      upload.greeted = true; // once only
      this.#on.greet();
    } else {
      this.#fail(upload, this.#explain(upload.file.name, code, reason, message), AGAIN.includes(code) || status >= 500);
    }
  }

  #broken(upload) {
    upload.request = null;
    if (!this.has(upload.client_id)) return;
    upload.broken = true;
    this.#fail(upload, t("file.network"), true);
  }

  #explain(name, code, reason, message) {
    // Only the server has seen what is in it, and says it in English.
    if (reason === "kind" && config.language.code.startsWith("en") && message) return message;
    const key = code === "file_too_large" ? "file.too_large" : `file.${reason}`;
    return ["empty", "kind", "too_many"].includes(reason) || code === "file_too_large" ? t(key, { name }) : t("file.failed");
  }

  #fail(upload, words, canRetry) {
    upload.failed = true;
    upload.node?.querySelector(".file-progress")?.remove();
    this.#on.fail(upload.client_id, words, canRetry);
    this.#keepNames();
    this.#send();
  }

  #cancel(upload) {
    upload.request?.abort();
    upload.request = null;
    this.#on.remove(upload.client_id);
    this.#on.announce(t("file.cancelled", { name: upload.file.name }));
    this.#drop(upload);
  }

  #sayLost() {
    if (!this.#lost.length) return;
    const names = this.#lost.map(({ name }) => name).join(", ");
    this.#lost = [];
    this.#on.say(t("file.lost", { name: names }));
    this.#keepNames();
  }

  #progress(upload) {
    const { name } = upload.file;
    const bar = el("progress", { max: 1, value: 0, "aria-label": t("file.sending", { name }) });
    const cancel = el("button", { type: "button", class: "link-button", "aria-label": t("file.cancel.named", { name }) }, t("file.cancel"));
    cancel.addEventListener("click", () => this.#cancel(upload));
    return el("div", { class: "file-progress" }, bar, cancel);
  }

  // ---- showing

  /** A picture in a frame of fixed size, loaded when it comes into sight; what cannot be shown is a name. */
  #picture(file, local) {
    const button = el("button", { type: "button", class: "file-picture", "aria-label": t("file.save", { name: file.name, size: sizeOf(file.size) }) });
    const fail = () => {
      button.replaceWith(this.#chip(file, local));
      this.#on.follow();
    };
    const show = async () => {
      const blob = local ?? (await this.#fetch(file));
      const picture = el("img", { alt: file.name, decoding: "async", "data-testid": "file-picture" });
      picture.addEventListener("error", fail);
      picture.src = this.#addressOf(blob);
      button.replaceChildren(picture);
      button.addEventListener("click", () => this.#save(file, blob));
    };
    if (local) show();
    else {
      const seen = new IntersectionObserver((entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        seen.disconnect();
        show().catch(fail);
      });
      seen.observe(button);
    }
    return button;
  }

  #chip(file, local) {
    const size = sizeOf(file.size);
    const label = t("file.save", { name: file.name, size });
    const words = [el("span", { class: "file-name", dir: "auto" }, file.name), el("span", { class: "file-size" }, size)];
    const chip = el("button", { type: "button", class: "file-chip", "aria-label": label, "data-testid": "file-chip" }, ...words);
    chip.addEventListener("click", async () => {
      try {
        this.#save(file, local ?? (await this.#fetch(file)));
      } catch (error) {
        this.#on.say(t(error.message === "410" ? "file.gone" : "file.not_loaded", { name: file.name }));
      }
    });
    return chip;
  }

  // An address of its own would need the token in it: whoever saw the address could open the file.
  async #fetch(file) {
    const response = await fetch(`/chat/files/${encodeURIComponent(file.id)}`, {
      headers: { Authorization: `Bearer ${this.#on.token()}` },
    });
    if (!response.ok) throw new Error(String(response.status));
    return response.blob();
  }

  #save(file, blob) {
    const link = el("a", { href: this.#addressOf(blob), download: file.name });
    link.click();
    this.#on.announce(t("file.saved", { name: file.name }));
  }

  #addressOf(blob) {
    const address = URL.createObjectURL(blob);
    this.#addresses.add(address);
    return address;
  }
}
