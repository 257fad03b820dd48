/** When people are away: until when, in the customer's own time, before they write and while they wait. */

import { locale, t } from "./texts.js";

const LONGEST_TIMER_MS = 24 * 60 * 60 * 1000; // browsers take no timer of more than 24 days
const DAY_MS = LONGEST_TIMER_MS;

/** A moment as people say it: with the day where it is not today, and with the date where it is not within a week. */
export function inWords(moment, now = new Date()) {
  const time = { hour: "numeric", minute: "2-digit" };
  const isToday = moment.toDateString() === now.toDateString();
  const isNear = moment - now < 6 * DAY_MS;
  const day = isToday ? {} : isNear ? { weekday: "long" } : { weekday: "long", day: "numeric", month: "long" };
  return new Intl.DateTimeFormat(locale, { ...day, ...time }).format(moment);
}

export class AwayNotice {
  #strip;
  #announce;
  #onChange;
  #shelf;
  #hours = { open: true, opensAt: null };
  #hasWritten = false;
  #timer;

  /** `shelf` remembers for which opening it was announced; `onChange()` is called when people are back. */
  constructor(strip, { shelf, announce, onChange }) {
    this.#strip = strip;
    this.#shelf = shelf;
    this.#announce = announce;
    this.#onChange = onChange;
  }

  /** What "ready" says: {open, opens_at}. */
  set hours(hours) {
    clearTimeout(this.#timer);
    const opensAt = hours?.opens_at ? new Date(hours.opens_at) : null;
    this.#hours = { open: hours?.open ?? true, opensAt };
    if (!this.#hours.open && opensAt) this.#watch(opensAt);
  }

  /** Until when people are away, in words; null while they are there, or where nobody knows. */
  get until() {
    const { open, opensAt } = this.#hours;
    return open || !opensAt ? null : inWords(opensAt);
  }

  /** Whoever has begun to write knows by now. */
  written() {
    this.#hasWritten = true;
    this.#strip.hidden = true;
  }

  clear() {
    this.#hasWritten = false;
  }

  /** While a person is asked for, the strip above the conversation says it instead. */
  show({ owner, assistant, hasBegun }) {
    this.#strip.hidden = this.#hours.open || owner !== "bot" || hasBegun || this.#hasWritten;
    if (this.#strip.hidden) return;
    const words = this.until ? t("away", { time: this.until, assistant }) : t("away.unknown", { assistant });
    this.#strip.textContent = words;
    const occasion = this.#hours.opensAt?.toISOString() ?? "unknown";
    if (this.#shelf.read() === occasion) return;
    this.#shelf.write(occasion);
    this.#announce(words);
  }

  #watch(opensAt) {
    const wait = opensAt - Date.now();
    this.#timer = setTimeout(() => {
      if (opensAt > Date.now()) return this.#watch(opensAt);
      this.#hours = { open: true, opensAt: null };
      this.#onChange();
    }, Math.min(Math.max(wait, 0), LONGEST_TIMER_MS));
  }
}
