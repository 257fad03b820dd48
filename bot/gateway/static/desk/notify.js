/** New work makes itself known: in the window's title, by a soft sound, and on the desktop, as far as somebody wants it. */

import { Shelf } from "../storage.js";
import { announce } from "./widgets.js";
import { words } from "./words.js";

const SOUND_PAUSE_MS = 1500;

export class Notifier {
  #onOpen;
  #sound = new Shelf("local", "kasuki-desk:sound");
  #wanted = new Shelf("local", "kasuki-desk:notifications");
  #audio = null;
  #soundedAt = 0;

  /** `onOpen(conversation)` is called when a notification is clicked. */
  constructor(onOpen) {
    this.#onOpen = onOpen;
  }

  get hasSound() {
    return this.#sound.read() === true;
  }

  get canNotify() {
    return "Notification" in window;
  }

  get notifies() {
    return this.canNotify && Notification.permission === "granted" && this.#wanted.read() === true;
  }

  get isBlocked() {
    return this.canNotify && Notification.permission === "denied";
  }

  /** Sound on or off; a browser lets a page sound only after a click, so this is also where it begins. */
  setSound(on) {
    this.#sound.write(on);
    if (on) this.#chime(true);
  }

  /** Ask the browser to be allowed to; only ever after somebody pressed the button. */
  async setNotifications(on) {
    if (on && Notification.permission === "default") await Notification.requestPermission();
    this.#wanted.write(on);
    return this.notifies;
  }

  /** How much waits, in the title of the window. */
  count(number) {
    const title = number ? `(${number}) ${words.title}` : words.title;
    if (document.title !== title) document.title = title;
  }

  /** Something new to do. What a customer wrote is not put on the desktop, where others may look on. */
  tell(text, conversation = null) {
    announce(text);
    this.#chime();
    if (!this.notifies || document.hasFocus()) return;
    const shown = new Notification(words.title, { body: text, tag: conversation ?? "desk", icon: "/static/desk/icon.svg" });
    shown.addEventListener("click", () => {
      window.focus();
      if (conversation) this.#onOpen(conversation);
      shown.close();
    });
  }

  // Two soft tones, made here: no file to load.
  #chime(always = false) {
    if (!this.hasSound || (!always && Date.now() - this.#soundedAt < SOUND_PAUSE_MS)) return;
    this.#soundedAt = Date.now();
    try {
      this.#audio ??= new AudioContext();
      this.#audio.resume();
      const from = this.#audio.currentTime;
      this.#tone(587.33, from);
      this.#tone(880, from + 0.13);
    } catch { /* a computer without sound */ }
  }

  #tone(frequency, from) {
    const tone = this.#audio.createOscillator();
    const volume = this.#audio.createGain();
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0, from);
    volume.gain.linearRampToValueAtTime(0.06, from + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0005, from + 0.5);
    tone.connect(volume).connect(this.#audio.destination);
    tone.start(from);
    tone.stop(from + 0.55);
  }
}
