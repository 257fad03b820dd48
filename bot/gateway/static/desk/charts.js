/** Pictures of figures, drawn in the page: bars over time, lines over time, and bars side by side. */

import { el } from "../dom.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [520, 190];
const EDGE = { top: 12, right: 12, bottom: 26, left: 52 };

function draw(name, attributes, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** A round number at or above the largest value, with steps to name at the side. */
function scaleFor(most, units = null) {
  if (!(most > 0)) return { top: 1, steps: [0, 1] };
  const size = 10 ** Math.floor(Math.log10(most));
  const choice = units ?? [0.25, 0.5, 1, 2, 2.5].map((part) => part * size);
  const unit = choice.find((part) => most / part <= 5) ?? choice.at(-1) * Math.ceil(most / choice.at(-1) / 5);
  const top = Math.ceil(most / unit - 1e-9) * unit;
  return { top, steps: Array.from({ length: Math.round(top / unit) + 1 }, (_, index) => index * unit) };
}

/**
 * Values over time. `series` are {name, values, kind: "bar" | "line"}, null for no value; `labels` name the places along
 * the bottom; `format` puts a value in words; `units` are the steps to choose from at the side. The same figures are there as a table, for whoever cannot see them.
 */
export function overTime(title, labels, series, { format = String, most = null, units = null } = {}) {
  const values = series.flatMap((one) => one.values).filter((value) => value !== null && value !== undefined);
  const { top, steps } = scaleFor(most ?? Math.max(0, ...values), units);
  const room = { width: WIDTH - EDGE.left - EDGE.right, height: HEIGHT - EDGE.top - EDGE.bottom };
  const x = (index) => EDGE.left + (room.width * (index + 0.5)) / labels.length;
  const y = (value) => EDGE.top + room.height * (1 - value / top);
  const picture = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart", role: "img", "aria-label": `${title}, as a picture; the figures follow as a table.` });
  for (const step of steps) {
    picture.append(draw("line", { x1: EDGE.left, x2: WIDTH - EDGE.right, y1: y(step), y2: y(step), class: step === 0 ? "base" : "grid" }));
    picture.append(draw("text", { x: EDGE.left - 6, y: y(step) + 4, "text-anchor": "end" }, format(step)));
  }
  const every = Math.ceil(labels.length / 8);
  labels.forEach((label, index) => {
    if (index % every === 0) picture.append(draw("text", { x: x(index), y: HEIGHT - 8, "text-anchor": "middle" }, label));
  });
  const bars = series.filter(({ kind }) => kind === "bar");
  series.forEach((one, place) => {
    const mark = one.kind === "bar" ? barsOf(one, bars.indexOf(one)) : lineOf(one);
    mark.setAttribute("class", `series s${place}`);
    picture.append(mark);
  });
  return figure(title, picture, series, labels, format);

  function barsOf({ name, values: heights }, at) {
    const wide = Math.min(34, (room.width / labels.length) * 0.72) / bars.length;
    const rects = heights.flatMap((value, index) => {
      if (!value) return [];
      const left = x(index) + (at - bars.length / 2) * wide;
      const rect = draw("rect", { x: left, y: y(value), width: Math.max(1, wide - 1), height: y(0) - y(value), rx: Math.min(2, wide / 4) });
      rect.append(draw("title", {}, `${labels[index]}, ${name}: ${format(value)}`));
      return [rect];
    });
    return draw("g", {}, ...rects);
  }

  function lineOf({ name, values: heights }) {
    const points = heights.map((value, index) => (value === null || value === undefined ? null : [x(index), y(value), value, index]));
    let path = "";
    points.forEach((point, index) => {
      if (point) path += `${points[index - 1] ? "L" : "M"}${point[0].toFixed(1)} ${point[1].toFixed(1)}`;
    });
    const dots = points.filter(Boolean).map(([left, high, value, index]) => draw("circle", { cx: left, cy: high, r: 3 }, draw("title", {}, `${labels[index]}, ${name}: ${format(value)}`)));
    return draw("g", {}, draw("path", { d: path || "M0 0" }), ...dots);
  }
}

function figure(title, picture, series, labels, format) {
  const key = series.length > 1 ? el("p", { class: "legend" }, ...series.map(({ name }, place) => el("span", { class: `key s${place}` }, name))) : "";
  const rows = labels.map((label, index) => el("tr", {}, el("th", { scope: "row" }, label), ...series.map(({ values }) => el("td", { class: "number" }, values[index] === null || values[index] === undefined ? "–" : format(values[index])))));
  const figures = el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "When"), ...series.map(({ name }) => el("th", { scope: "col", class: "number" }, name)))), el("tbody", {}, ...rows));
  return el("figure", { class: "figure" }, el("figcaption", {}, title), key, picture, el("details", {}, el("summary", {}, "As a table"), el("div", { class: "table-box" }, figures)));
}

/** Bars side by side: `rows` are {name, value, words}. */
export function sideBySide(title, rows) {
  const most = Math.max(1e-9, ...rows.map(({ value }) => value ?? 0));
  const lines = rows.map(({ name, value, words }) => {
    const bar = draw("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", class: "bar", "aria-hidden": "true" }, draw("rect", { x: 0, y: 0, width: (100 * (value ?? 0)) / most, height: 10, rx: 1.5 }));
    return el("tr", {}, el("th", { scope: "row" }, el("bdi", {}, name)), el("td", { class: "bar-cell" }, bar), el("td", { class: "number" }, words ?? String(value)));
  });
  const body = lines.length ? el("table", { class: "bars" }, el("tbody", {}, ...lines)) : el("p", { class: "quiet" }, "Nothing in this time.");
  return el("figure", { class: "figure" }, el("figcaption", {}, title), body);
}

/** A figure that matters, large. */
export const tile = (name, value, more = "") => el("div", { class: "tile" }, el("p", { class: "tile-name" }, name), el("p", { class: "tile-value" }, value), el("p", { class: "tile-more" }, more));
