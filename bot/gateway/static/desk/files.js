/** Files in a transcript: pictures as previews, others as links with their size, and what was deleted as such. */

import { el } from "../dom.js";
import { icon } from "./icons.js";
import { ask, button, said, toast } from "./widgets.js";

// What browsers show, and nothing can run in.
const SHOWN = /^image\/(png|jpeg|gif|webp)$/;
const GONE = 410;

/** So many bytes as people say it: "340 KB", "2.4 MB". */
export function sizeOf(bytes) {
  if (!Number.isFinite(bytes)) return "";
  return bytes < 1024000 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 2 ** 20).toFixed(1).replace(/\.0$/, "")} MB`;
}

/** Whether the words of a message only say that it is a file. */
export const isFileAlone = ({ file, text }) => Boolean(file) && ["", `[photo: ${file.name}]`, `[file: ${file.name}]`].includes(text);

/**
 * Each file is asked for once while the page is open, and only when it comes into sight or is wanted: whoever looks at one is
 * noted. Everything people chose, names as well, enters the page as text.
 */
export class Files {
  #api;
  #addresses = new Map(); // of what has come, by the file's id

  constructor(api) {
    this.#api = api;
  }

  /** A file of ours that has just been sent need not be asked for. */
  keep(file, blob) {
    if (file && SHOWN.test(file.media_type)) this.#addresses.set(file.id, Promise.resolve(URL.createObjectURL(blob)));
  }

  /** Nobody who signs in next sees what was shown. */
  clear() {
    for (const address of this.#addresses.values()) address.then(URL.revokeObjectURL, () => {});
    this.#addresses.clear();
  }

  draw(file) {
    if (file.deleted) return this.#gone(file);
    return SHOWN.test(file.media_type) ? this.#picture(file) : this.#link(file);
  }

  #gone(file) {
    return el("p", { class: "file gone", "data-testid": "file-gone" }, icon("file"), el("s", {}, said(file.name)), el("span", { class: "quiet" }, "deleted: files are kept for a time only"));
  }

  #link(file) {
    const size = el("span", { class: "quiet" }, sizeOf(file.size));
    const link = el("a", { class: "file", href: addressOf(file), download: file.name, title: "Save this file", "data-testid": "file" }, icon("file"), said(file.name), size);
    link.addEventListener("click", (event) => {
      event.preventDefault();
      this.#save(file, link);
    });
    return link;
  }

  /** In a frame of fixed size, so that nothing moves when it comes; what cannot be shown is a link. */
  #picture(file) {
    const open = el("button", { type: "button", class: "file-picture", "aria-label": `Look at the picture ${file.name}, ${sizeOf(file.size)}`, "data-part": "picture", "data-testid": "file-picture" });
    const show = async () => {
      try {
        const picture = el("img", { alt: file.name, decoding: "async", src: await this.#fetch(file) });
        picture.addEventListener("error", () => open.replaceWith(this.#link(file)));
        open.replaceChildren(picture);
      } catch (error) {
        open.replaceWith(error.status === GONE ? this.#gone(file) : this.#link(file));
      }
    };
    const seen = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      seen.disconnect();
      show();
    });
    seen.observe(open);
    open.addEventListener("click", () => this.#look(file));
    return open;
  }

  async #look(file) {
    let src;
    try {
      src = await this.#fetch(file);
    } catch (error) {
      return toast(error.message, { kind: "bad" });
    }
    const save = button("Save", () => this.#save(file), { kind: "small", test: "file-save" });
    await ask({ title: said(file.name), body: [el("img", { class: "file-large", alt: file.name, src }), el("p", { class: "quiet" }, sizeOf(file.size), " ", save)], test: "picture", wide: true });
  }

  async #save(file, shown = null) {
    try {
      el("a", { href: await this.#fetch(file), download: file.name }).click();
    } catch (error) {
      if (error.status === GONE) shown?.replaceWith(this.#gone(file));
      toast(error.message, { kind: "bad" });
    }
  }

  #fetch(file) {
    const known = this.#addresses.get(file.id);
    if (known) return known;
    const address = this.#api.file(file.id).then((blob) => URL.createObjectURL(blob));
    this.#addresses.set(file.id, address);
    // It may come when it is asked for again.
    address.catch(() => this.#addresses.delete(file.id));
    return address;
  }
}

const addressOf = (file) => `/desk/api/files/${encodeURIComponent(file.id)}`;
