/** Moments and lengths of time in words, and the clocks on the page that go on by themselves. */

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const calendar = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const short = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const dateOnly = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const DAY_MS = 86400000;

let ahead = () => 0;

/** The server's time: countdowns must not depend on how well this computer's clock is set. */
export const now = () => Date.now() + ahead();

export const timeOf = (moment) => clock.format(new Date(moment));
export const dateOf = (moment) => (moment ? dateOnly.format(new Date(moment)) : "");
export const momentOf = (moment) => (moment ? whole.format(new Date(moment)) : "");

const daysAgo = (moment) =>
  Math.round((new Date().setHours(0, 0, 0, 0) - new Date(moment).setHours(0, 0, 0, 0)) / DAY_MS);

/** "Today", "Yesterday", "Monday, 3 March". */
export function dayOf(moment) {
  const days = daysAgo(moment);
  if (days === 0) return "Today";
  return days === 1 ? "Yesterday" : calendar.format(new Date(moment));
}

/** The time today, the day before. */
export function briefly(moment) {
  if (!moment) return "";
  return daysAgo(moment) === 0 ? timeOf(moment) : short.format(new Date(moment));
}

/** The time today, day and time otherwise. */
export function soon(moment) {
  return daysAgo(moment) === 0 ? timeOf(moment) : `${short.format(new Date(moment))}, ${timeOf(moment)}`;
}

/** "0:42", "12:05", "1 h 05 min", "2 d 3 h". */
export function lengthOf(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3600), Math.floor(seconds / 86400)];
  if (days) return `${days} d ${hours % 24} h`;
  if (hours) return `${hours} h ${String(minutes % 60).padStart(2, "0")} min`;
  return `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
}

/** A length for reports: "42 s", "3 min 20 s", "1 h 05 min". */
export function spelled(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ""}`;
  return lengthOf(whole * 1000);
}

/** Keep every `[data-since]` and `[data-until]` on the page at what the clock says; `onSecond` is called as well. */
export function startClocks(offset, onSecond) {
  ahead = offset;
  setInterval(() => {
    tick(document);
    onSecond();
  }, 1000);
}

/** Set the clocks within a part of the page now. */
export function tick(root) {
  for (const node of root.querySelectorAll("[data-since]")) put(node, lengthOf(now() - Date.parse(node.dataset.since)));
  for (const node of root.querySelectorAll("[data-until]")) put(node, lengthOf(Date.parse(node.dataset.until) - now()));
}

function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
