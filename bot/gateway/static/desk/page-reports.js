/** How the desk is doing: figures and pictures for a stretch of days, with what each figure means. */

import { el } from "../dom.js";
import { overTime, sideBySide, tile } from "./charts.js";
import { head, table } from "./pages.js";
import { reasonOf } from "./rows.js";
import { spelled } from "./times.js";
import { button, field, input, said } from "./widgets.js";
import { count, percent, readable } from "./words.js";

const NAMES = {
  volume: "Conversations",
  resolved_containment: "Containment, resolved",
  handoff_rate: "Handed to people",
  handoffs: "Why people were wanted",
  waiting: "Waiting",
  left: "Left the line",
  first_response: "First response",
  resolution: "Resolution",
  open: "In the opening hours",
  median: "Half, and nine in ten",
  csat_bot: "Satisfaction, bot",
  csat_agent: "Satisfaction, people",
};
// Steps of a clock, in seconds.
const DURATIONS = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];
const dayFormat = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });

export async function draw(root, { api }) {
  // Empty at first: which day it is now is for the shop's own clock to say.
  const from = input({ type: "date", "data-testid": "report-from" });
  const to = input({ type: "date", "data-testid": "report-to" });
  const csv = el("a", { class: "button", download: "desk.csv", "data-testid": "report-csv" }, "Download as CSV");
  const body = el("div", { class: "report", "data-testid": "report" });
  let asked = 0;
  const load = async () => {
    const mine = (asked += 1);
    const wanted = { from: from.value, to: to.value };
    csv.hidden = true; // until there is something to save
    try {
      const report = await api.get("reports", wanted);
      if (mine !== asked) return; // other days were asked for meanwhile
      // The days that are shown, also where a field was left empty.
      from.value ||= report.from;
      to.value ||= report.to;
      csv.href = `/desk/api/reports.csv?${new URLSearchParams({ from: report.from, to: report.to })}`;
      csv.hidden = false;
      body.replaceChildren(...shown(report));
    } catch (error) {
      if (mine === asked) body.replaceChildren(el("p", { class: "problem", role: "alert" }, error.message));
    }
  };
  const form = el("form", { class: "span-form" }, field("From", from), field("To", to), button("Show", load, { kind: "primary" }));
  form.addEventListener("submit", (event) => (event.preventDefault(), load()));
  root.replaceChildren(head("Reports", "Every figure is explained at the end of the page.", csv), form, body);
  await load();
}

const orDash = (value, words) => (value === null || value === undefined ? "–" : words(value));
const share = (value) => orDash(value, percent);
const ratings = (one) => count(one.count ?? 0, "rating");
const rating = (value) => orDash(value, (one) => one.toFixed(1));

function shown({ definitions = {}, figures = {} }) {
  const { totals = {}, days = [], reasons = [], hours = [], agents = [] } = figures;
  const labels = days.map(({ day }) => dayFormat.format(new Date(`${day}T00:00:00Z`)));
  const column = (name) => days.map((one) => one[name] ?? null);
  const { waiting, first_response: first, resolution, csat_bot: bot = {}, csat_agent: agent = {} } = totals;
  return [
    el(
      "div",
      { class: "tiles" },
      tile("Conversations", orDash(totals.volume, (one) => one.toLocaleString())),
      tile("Containment", share(totals.containment), `${share(totals.resolved_containment)} resolved`),
      tile("Handed to people", share(totals.handoff_rate), count(totals.handoffs ?? 0, "time")),
      tile("Waiting", spelled(waiting?.median), `nine in ten: ${spelled(waiting?.p90)}; left: ${totals.left ?? 0}`),
      tile("First response", spelled(first?.median), `nine in ten: ${spelled(first?.p90)}`),
      tile("Resolution", spelled(resolution?.median), `nine in ten: ${spelled(resolution?.p90)}`),
      tile("Satisfaction, bot", rating(bot.mean), ratings(bot)),
      tile("Satisfaction, people", rating(agent.mean), ratings(agent)),
    ),
    el(
      "div",
      { class: "figures" },
      overTime("Conversations a day", labels, [{ name: "All", kind: "bar", values: column("volume") }, { name: "Handed to people", kind: "bar", values: column("handoffs") }]),
      overTime("Containment and hand-offs", labels, [{ name: "Containment", kind: "line", values: column("containment") }, { name: "Handed to people", kind: "line", values: column("handoff_rate") }], { format: percent, most: 1, units: [0.25] }),
      overTime("Waiting for a person", labels, [{ name: "Half within", kind: "line", values: column("waiting_median") }, { name: "Nine in ten within", kind: "line", values: column("waiting_p90") }], { format: spelled, units: DURATIONS }),
      overTime("Satisfaction, of 5", labels, [{ name: "Bot", kind: "line", values: column("csat_bot") }, { name: "People", kind: "line", values: column("csat_agent") }], { most: 5, units: [1] }),
      sideBySide("Why people were wanted", reasons.map((one) => ({ name: reasonOf(one.reason), value: one.count, words: String(one.count) }))),
      sideBySide("Conversations by hour of the day", everyHour(hours)),
    ),
    el("h2", {}, "Times"),
    table("Times", ["Of what", "Times counted", "Half within", "Nine in ten within", "Half, in opening hours", "Nine in ten, in opening hours"], times(totals), { numbers: [1, 2, 3, 4, 5] }),
    el("h2", {}, "Agents"),
    table("Agents", ["Name", "Conversations", "Replies", "First response", "Satisfaction"], agents.map((one) => [said(one.name), String(one.conversations ?? 0), String(one.replies ?? 0), spelled(one.first_response?.median), `${rating(one.csat?.mean)}${one.csat?.count ? ` (${one.csat.count})` : ""}`]), { numbers: [1, 2, 3, 4] }),
    el("h2", {}, "What the figures mean"),
    el("dl", { class: "definitions", "data-testid": "definitions" }, ...Object.entries(definitions).flatMap(([name, text]) => [el("dt", {}, NAMES[name] ?? readable(name)), el("dd", {}, said(text))])),
  ];
}

const times = (totals) =>
  ["waiting", "first_response", "resolution"].map((name) => {
    const [all, open] = [totals[name] ?? {}, totals[`${name}_open`] ?? {}];
    return [NAMES[name], String(all.count ?? 0), ...[all.median, all.p90, open.median, open.p90].map(spelled)];
  });

/** Every hour from the first to the last in which something happened. */
function everyHour(hours) {
  const [first, last] = [hours[0]?.hour ?? 0, hours.at(-1)?.hour ?? -1];
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const volume = hours.find(({ hour }) => hour === first + index)?.volume ?? 0;
    return { name: `${String(first + index).padStart(2, "0")}:00`, value: volume, words: String(volume) };
  });
}
