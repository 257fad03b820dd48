/** Files to go with a reply: chosen, dropped or pasted, and looked at once more before they are sent. */

import { el } from "../dom.js";
import { faultOf, takeDropped } from "../taken-files.js";
import { sizeOf } from "./files.js";
import { icon } from "./icons.js";
import { announce, iconButton, said, toast } from "./widgets.js";
import { count } from "./words.js";

const MOST_AT_ONCE = 10;
const FAULTS = {
  empty: "is empty.",
  too_large: "is too large: a file may have 10 MB at most.",
  kind: "cannot be sent: only pictures, PDFs and texts can.",
};

/** What waits to be sent is kept for each conversation, while the page is open. */
export class Attachments {
  #on;
  #button = document.getElementById("attach");
  #input = document.getElementById("attachment");
  #list = document.getElementById("attached");
  #zone = document.getElementById("thread");
  #waiting = new Map(); // lists of files by conversation
  #conversation = null;
  #isOpen = false;

  /** `on` has whyNot(): why nothing can be attached now, or ""; and begin(), called before something is. */
  constructor(on) {
    this.#on = on;
    this.#button.append(icon("clip"));
    this.#button.addEventListener("click", () => this.choose());
    this.#input.addEventListener("change", () => {
      this.#add([...this.#input.files]);
      this.#input.value = "";
    });
    takeDropped({
      mark: (within) => this.#zone.classList.toggle("dropping", within && !this.#on.whyNot()),
      take: (files) => this.#mayAttach() && this.#add(files),
    });
  }

  /** Show what waits in a conversation; `isOpen` says whether it goes with what is being written. */
  show(conversation, isOpen) {
    this.#conversation = conversation;
    this.#isOpen = isOpen;
    this.#button.hidden = !isOpen;
    this.#draw();
  }

  /** Whether something waits that would go with what is being written. */
  get hasSome() {
    return this.#isOpen && this.#files.length > 0;
  }

  /** Let somebody choose files; says whether they may. */
  choose() {
    if (!this.#mayAttach()) return false;
    this.#input.click();
    return true;
  }

  /** What is to be sent now; it waits no more. */
  take() {
    const files = this.#isOpen ? this.#files : [];
    if (files.length) this.#waiting.delete(this.#conversation);
    this.#draw();
    return files;
  }

  forget() {
    this.#waiting.clear();
    this.#draw();
  }

  /** What was pasted, if it is a file: says whether it was. */
  paste({ clipboardData }) {
    // What a word processor copies is a text, and a picture of it.
    if (!clipboardData?.files.length || clipboardData.types.includes("text/plain")) return false;
    if (this.#mayAttach()) this.#add([...clipboardData.files]);
    return true;
  }

  get #files() {
    return this.#waiting.get(this.#conversation) ?? [];
  }

  #mayAttach() {
    const why = this.#on.whyNot();
    if (why) toast(why, { kind: "bad" });
    else this.#on.begin();
    return !why;
  }

  #add(files) {
    const faults = files.filter(faultOf).map((file) => `${file.name} ${FAULTS[faultOf(file)]}`);
    const fine = files.filter((file) => !faultOf(file));
    const all = [...this.#files, ...fine];
    if (all.length > MOST_AT_ONCE) faults.push(`At most ${MOST_AT_ONCE} files can be sent at once.`);
    if (this.#conversation) this.#waiting.set(this.#conversation, all.slice(0, MOST_AT_ONCE));
    this.#draw();
    if (faults.length) toast(faults.join(" "), { kind: "bad" });
    if (fine.length) announce(`${count(fine.length, "file")} attached. Enter sends.`);
  }

  #remove(file) {
    this.#waiting.set(this.#conversation, this.#files.filter((one) => one !== file));
    this.#draw();
    announce(`${file.name} removed.`);
  }

  #draw() {
    const files = this.#isOpen ? this.#files : [];
    this.#list.replaceChildren(
      ...files.map((file) => {
        const remove = iconButton("close", `Remove ${file.name}`, () => this.#remove(file), { test: "remove-file" });
        return el("li", { class: "attached", "data-testid": "attached" }, icon("file"), said(file.name), el("span", { class: "quiet" }, sizeOf(file.size)), remove);
      }),
    );
    this.#list.hidden = files.length === 0;
  }
}
