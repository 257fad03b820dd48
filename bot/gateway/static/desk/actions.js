/** What can be done with a conversation where it stands now, and the questions that some of it needs. */

import { el } from "../dom.js";
import { icon } from "./icons.js";
import { drawAnew } from "./keyed.js";
import { now, soon } from "./times.js";
import { area, ask, attempt, button, chip, field, input, select, toast } from "./widgets.js";
import { readable } from "./words.js";

const MINUTE_MS = 60000;
const NEEDS_AN_ANSWER = new Set(["transfer", "snooze", "label", "block"]);

/** Whether somebody may reply in a conversation now. */
export const isMine = (row, me) => row.stage === "agent" && row.agent?.id === me.id;

/** The actions for a conversation, the first of them the one to expect: [{id, label, key, kind}]. */
export function actionsFor(row, me) {
  const label = { id: "label", label: "Labels", key: "l" };
  const block = { id: "block", label: "Block", kind: "danger" };
  if (row.blocked) return [{ id: "unblock", label: "Unblock" }, label];
  // Nobody would see what is written there: what is left is to call them.
  if (row.signed_out && !isMine(row, me)) return row.stage === "callback" ? [{ id: "called", label: "Has been called", kind: "primary" }, label] : [label];
  if (row.offered_to_me) return [{ id: "claim", label: "Accept", key: "c", kind: "primary" }, { id: "pass", label: "Pass", key: "Shift+P" }, label];
  if (row.stage === "queue") return [{ id: "claim", label: "Claim", key: "c", kind: "primary" }, label];
  if (row.stage === "callback") {
    return [{ id: "claim", label: "Take up", key: "c", kind: "primary" }, { id: "called", label: "Has been called" }, label];
  }
  if (row.stage === "bot") return [{ id: "takeover", label: "Take over", key: "c", kind: "primary" }, label, block];
  if (row.stage === "resolved") return [{ id: "takeover", label: "Reopen", key: "c", kind: "primary" }, label, block];
  if (!isMine(row, me)) return [label];
  return [
    { id: "resolve", label: "Resolve", key: "Shift+E", kind: "primary" },
    { id: "transfer", label: "Transfer", key: "t" },
    { id: "return", label: "To the bot", key: "Shift+B" },
    { id: "snooze", label: "Snooze", key: "s" },
    label,
    block,
  ];
}

export class Actions {
  #api;
  #me;
  #on;
  #row = null;
  #shown = "";

  /**
   * `on` has taking(id) before one is taken, and refused(id) where it was not; changed(id) after something was done, gone(id) when
   * it left this desk, team(), and goOnline().
   */
  constructor({ api, me, on }) {
    this.#api = api;
    this.#me = me;
    this.#on = on;
  }

  /** Show the buttons for a conversation; what does not come first hides in a menu. */
  draw(root, row) {
    const all = actionsFor(row, this.#me);
    this.#row = row;
    const shownNow = JSON.stringify([row.id, all]);
    if (shownNow === this.#shown) return;
    this.#shown = shownNow;
    const shown = all.slice(0, 3);
    const make = ({ id, label, key, kind = "" }) =>
      button(label, () => this.run(id, this.#row), { kind, test: `action-${id}`, key: kind === "primary" ? key : null, title: key ? `${label} (${key})` : null, part: id });
    const menu = all.length > shown.length ? [this.#menu(all.slice(3).map(make))] : [];
    // What is done is done: to press the key twice must not undo it.
    drawAnew(root, () => root.replaceChildren(...shown.map(make), ...menu), () => document.getElementById("thread-name"));
  }

  #menu(buttons) {
    const open = el("summary", { class: "icon-button", "aria-label": "More actions", title: "More actions", "data-part": "more", "data-testid": "more-actions" }, icon("more"));
    const menu = el("details", { class: "menu" }, open, el("div", { class: "menu-list" }, ...buttons));
    // Before the button does anything: what a dialog gives the focus back to must be there to see.
    menu.addEventListener("click", (event) => event.target.closest("button") && (open.focus(), (menu.open = false)), true);
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      event.stopPropagation();
      menu.open = false;
      open.focus();
    });
    menu.addEventListener("focusout", (event) => event.relatedTarget && !menu.contains(event.relatedTarget) && menu.removeAttribute("open"));
    return menu;
  }

  can(id, row) {
    return actionsFor(row, this.#me).some((action) => action.id === id);
  }

  /** Do what an action is for, if it can be done now; false where it cannot. */
  runIfPossible(id, row) {
    if (!this.can(id, row)) return false;
    this.run(id, row);
    return true;
  }

  async run(id, row) {
    if (NEEDS_AN_ANSWER.has(id)) return this.#asked(id, row);
    if (id === "claim" && this.#me.presence === "away") return this.#offerToGoOnline(row);
    if (id === "claim" || id === "takeover") this.#on.taking(row.id);
    const done = await (id === "unblock" ? this.#do(row, "block", { blocked: false }) : this.#do(row, id));
    if (!done) return this.#on.refused(row.id);
    if (id === "resolve") toast("Resolved. The customer was told, and may write again.", { action: { label: "Reopen", run: () => this.run("takeover", row) } });
    if (id === "return") toast("Back with the assistant.");
    if (id === "pass") toast("Passed on to the next one.");
    if (id === "called") toast("Noted as called.");
    if (id === "unblock") toast("They are answered again, and were told so.");
    if (["resolve", "return", "pass"].includes(id)) this.#on.gone(row.id);
  }

  #offerToGoOnline(row) {
    const action = { label: "Go online and take it", run: async () => (await this.#on.goOnline()) && this.run("claim", row) };
    toast("You are away, and take no conversations.", { action });
  }

  async #do(row, what, body = {}) {
    const done = await attempt(() => this.#api.post(`conversations/${row.id}/${what}`, body));
    this.#on.changed(row.id);
    return done;
  }

  #asked(id, row) {
    if (id === "transfer") return this.#transfer(row);
    if (id === "snooze") return this.#snooze(row);
    if (id === "label") return this.#labels(row);
    return this.#block(row);
  }

  async #transfer(row) {
    const team = (await this.#on.team()).filter((one) => one.id !== this.#me.id && !one.disabled);
    // Nobody is passed on to an empty chair.
    const people = team.filter((one) => one.is_there).map((one) => [`agent ${one.id}`, one.name]);
    const topics = [...new Set([...team.flatMap((one) => one.skills ?? []), row.topic].filter(Boolean))].sort();
    const teams = [["topic anyone", "Whoever is free"], ...topics.map((topic) => [`topic ${topic}`, `Whoever knows: ${readable(topic)}`])];
    const list = select([...people, ...teams], null, { "data-testid": "transfer-to" });
    const note = area({ "data-testid": "transfer-note", maxlength: 2000 });
    const done = await ask({
      title: "Transfer this conversation",
      body: [field("To", list), field("Note for them", note, "Only the team sees it.")],
      label: "Transfer",
      test: "transfer",
      submit: () => {
        const [kind, ...rest] = list.value.split(" ");
        const to = rest.join(" ");
        const target = kind === "agent" ? { agent_id: to } : { topic: to };
        return this.#api.post(`conversations/${row.id}/transfer`, note.value.trim() ? { ...target, note: note.value.trim() } : target);
      },
    });
    if (done) toast("Passed on. The customer was told.");
    this.#on.changed(row.id);
    if (done) this.#on.gone(row.id);
  }

  async #snooze(row) {
    const own = input({ type: "datetime-local", "data-testid": "snooze-own" });
    const list = select([...snoozeTimes(new Date(now())), ["own", "Another time…"]], null, { "data-testid": "snooze-until" });
    const ownField = field("Time", own);
    ownField.hidden = true;
    list.addEventListener("change", () => (ownField.hidden = list.value !== "own"));
    let until;
    const done = await ask({
      title: "Snooze until",
      body: [el("p", { class: "quiet" }, "It stays yours, and comes back to the top then or as soon as the customer writes."), field("Until", list), ownField],
      label: "Snooze",
      test: "snooze",
      submit: () => {
        const at = list.value === "own" ? new Date(own.value) : new Date(Number(list.value));
        if (Number.isNaN(at.getTime()) || at.getTime() <= now()) throw new Error("Choose a time that is still to come.");
        until = at.toISOString();
        return this.#api.post(`conversations/${row.id}/snooze`, { until });
      },
    });
    if (done) toast(`Snoozed until ${soon(until)}.`);
    this.#on.changed(row.id);
  }

  async #labels(row) {
    const known = row.labels ?? [];
    const boxes = known.map((name) => {
      const box = el("input", { type: "checkbox", value: name });
      box.checked = true;
      return box;
    });
    const fresh = input({ maxlength: 40, "data-testid": "new-label" });
    const done = await ask({
      title: "Labels",
      body: [...boxes.map((box) => el("label", { class: "switch-line" }, box, chip(box.value, "label"))), field("New label", fresh, "One or several, with commas between them.")],
      test: "labels",
      submit: async () => {
        const add = fresh.value.split(",").map((name) => name.trim()).filter(Boolean);
        const remove = boxes.filter((box) => !box.checked).map((box) => box.value);
        if (add.length || remove.length) await this.#api.post(`conversations/${row.id}/labels`, { add, remove });
      },
    });
    if (done) this.#on.changed(row.id);
  }

  async #block(row) {
    const done = await ask({
      title: "Block this visitor?",
      body: [el("p", {}, "Nobody answers here any more, neither your team nor the assistant; they are told so. What was said is kept, and you can undo it.")],
      label: "Block",
      kind: "danger",
      test: "block",
      submit: () => this.#api.post(`conversations/${row.id}/block`),
    });
    if (done) toast("Blocked.");
    this.#on.changed(row.id);
    if (done) this.#on.gone(row.id);
  }
}

/** Times to choose from: [milliseconds, words]. */
function snoozeTimes(at) {
  const morning = new Date(at);
  morning.setDate(morning.getDate() + 1);
  morning.setHours(9, 0, 0, 0);
  const monday = new Date(morning);
  monday.setDate(monday.getDate() + ((8 - monday.getDay()) % 7));
  const times = [
    [at.getTime() + 30 * MINUTE_MS, "In half an hour"],
    [at.getTime() + 120 * MINUTE_MS, "In two hours"],
    [morning.getTime(), "Tomorrow at nine"],
  ];
  if (monday > morning) times.push([monday.getTime(), "Monday at nine"]);
  return times.map(([moment, text]) => [String(moment), text]);
}
