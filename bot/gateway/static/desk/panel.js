/** The right column: who the customer is, how sure that is, and what they and the shop have had with each other. */

import { el, spoken } from "../dom.js";
import { newClientId } from "../outbox.js";
import { icon } from "./icons.js";
import { drawAnew } from "./keyed.js";
import { hueOf, reasonOf } from "./rows.js";
import { dateOf, momentOf, soon } from "./times.js";
import { area, ask, button, chip, field, iconButton, input, said, toast } from "./widgets.js";
import { initials, nameOf, readable, words } from "./words.js";

const FIRST_SHOWN = 3;
const KINDS = { csat: "Satisfaction", nps: "Would recommend", ces: "Effort" };

export class CustomerPanel {
  #api;
  #on;
  #root = document.getElementById("panel");
  #shown = null;

  /** `on` has changed(id) after something was done, open(id) for another conversation, label(name), and close(). */
  constructor({ api, on }) {
    this.#api = api;
    this.#on = on;
  }

  clear() {
    this.#shown = null;
    this.#root.replaceChildren();
    this.#root.tabIndex = -1;
  }

  draw(detail) {
    const { conversation: row, customer, summary } = detail;
    // Left alone while nothing has changed: somebody may be in the middle of it.
    const { id, channel, reason, contact, due_at: due, labels, customer: who } = row;
    const shown = JSON.stringify([id, channel, reason, contact, due, labels, who, customer, summary, detail.claimed]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#root.tabIndex = 0; // it scrolls, also by keyboard
    const top = this.#root.scrollTop;
    const open = new Set([...this.#root.querySelectorAll("details[open]")].map((node) => node.dataset.name));
    const parts = present([
      this.#head(row, customer),
      this.#why(row, summary),
      customer && this.#contact(row, customer),
      claimed(detail.claimed ?? []),
      customer && section("Orders", "orders", orders(customer.orders ?? [])),
      customer && this.#points(row, customer),
      customer?.cards?.length && section("Punch cards", "cards", pairs(customer.cards.map((one) => [one.title, `${one.stamps} of ${one.of}`]))),
      customer?.vouchers?.length && section("Rewards and vouchers", "vouchers", listed(customer.vouchers.map(voucher))),
      customer?.feedback?.length && section("Feedback", "feedback", listed(customer.feedback.map(feedback))),
      this.#earlier(row, customer),
      customer && notesAndTags(customer),
      customer && this.#merge(row, customer),
    ]);
    drawAnew(this.#root, () => this.#root.replaceChildren(...parts), () => this.#root);
    for (const node of this.#root.querySelectorAll("details")) if (open.has(node.dataset.name)) node.open = true;
    this.#root.scrollTop = top;
  }

  #head(row, customer) {
    const name = customer?.name || nameOf(row.customer);
    const sure = customer?.verified ?? row.customer?.verified;
    const claimed = !sure && Object.keys(row.customer?.claimed ?? {}).length > 0;
    const proof = sure
      ? el("p", { class: "proof good", "data-testid": "proof" }, icon("shield"), "Verified customer")
      : el("p", { class: "proof unsure", "data-testid": "proof" }, icon("help"), claimed ? "Claimed only, not proven" : "Visitor: nothing is proven");
    return el(
      "header",
      { class: "panel-head" },
      el("span", { class: `avatar large hue-${hueOf(row.id)}`, "aria-hidden": "true" }, initials(name)),
      el("div", { class: "panel-who" }, el("h2", { "data-testid": "panel-name" }, said(name)), el("p", { class: "quiet" }, customer?.external_id ? said(customer.external_id) : words.channels[row.channel] ?? readable(row.channel), customer?.since ? ` · since ${dateOf(customer.since)}` : "")),
      iconButton("close", "Close the customer's column", () => this.#on.close()),
      proof,
    );
  }

  /** Why a person is wanted, from what the assistant knows. */
  #why(row, summary) {
    const { why, ...more } = summary ?? {};
    const facts = Object.entries({ why, ...more }).filter(([, value]) => value !== null && value !== "" && value !== undefined);
    const shown = facts.map(([key, value]) => [words.summary[key] ?? readable(key), inWords(value)]);
    if (row.reason && !summary?.why) shown.unshift(["Why", reasonOf(row.reason)]);
    if (row.contact) shown.push(["Reach at", row.contact]);
    if (row.due_at) shown.push(["Due", soon(row.due_at)]);
    const labels = (row.labels ?? []).map((name) => {
      const pick = el("button", { type: "button", class: "chip label", title: "Find what has this label" }, said(name));
      pick.addEventListener("click", () => this.#on.label(name));
      return pick;
    });
    if (!shown.length && !labels.length) return null;
    const body = [shown.length ? pairs(shown) : "", labels.length ? el("p", { class: "chips" }, ...labels) : ""];
    return section("What it is about", "why", ...body);
  }

  #contact(row, customer) {
    const known = [["E-mail", customer.email], ["Phone", customer.phone], ["Address", inWords(customer.address)]].filter(([, value]) => value);
    const edit = button("Edit", () => this.#edit(row, customer), { kind: "small plain", test: "edit-contact", part: "edit", title: "Edit contact data" });
    return section(["Contact", edit], "contact", known.length ? pairs(known) : "");
  }

  #points(row, customer) {
    const { points = {} } = customer;
    const give = button("Give points", () => this.#give(row), { kind: "small plain", test: "give-points", part: "give" });
    const facts = Object.entries(points ?? {})
      .filter(([key, value]) => key !== "available" && key !== "tier" && Boolean(value))
      .map(([key, value]) => [readable(key), String(value)]);
    const balance = el("p", { class: "points", "data-testid": "points" }, el("strong", {}, Number(points?.available ?? 0).toLocaleString()), " points", points?.tier ? chip(inWords(points.tier), "label") : "");
    return section(["Points", give], "points", balance, facts.length ? pairs(facts) : "");
  }

  #earlier(row, customer) {
    const others = (customer?.conversations ?? []).filter(({ id }) => id !== row.id);
    if (!others.length) return null;
    const items = others.map((one) => {
      const about = one.last?.text || words.stages[one.stage];
      const open = el("button", { type: "button", class: "earlier", "data-testid": "earlier" }, el("span", {}, dateOf(one.last?.at ?? one.created_at)), el("span", { class: "quiet" }, said(about)));
      open.addEventListener("click", () => this.#on.open(one.id));
      return open;
    });
    return section("Earlier conversations", "earlier", listed(items));
  }

  #merge(row, customer) {
    const open = (customer.merge_proposals ?? []).filter((one) => one);
    const items = open.map((one) => el("div", { class: "line-item" }, said(`${one.name} (${one.external_id})`), chip(readable(one.state))));
    const propose = button("Propose a merge", () => this.#propose(row), { kind: "small plain", test: "propose-merge", part: "propose" });
    return section(["Same person?", propose], "merge", items.length ? listed(items) : el("p", { class: "quiet" }, "No proposals."));
  }

  async #edit(row, customer) {
    const phone = input({ type: "tel", value: customer.phone ?? "", "data-testid": "edit-phone" });
    const email = input({ type: "email", value: customer.email ?? "", "data-testid": "edit-email" });
    const before = typeof customer.address === "string" ? customer.address : inWords(customer.address) ?? "";
    const address = area({ "data-testid": "edit-address" }, before);
    const done = await ask({
      title: "Contact data",
      body: [field("Phone", phone), field("E-mail", email), field("Address", address)],
      test: "contact",
      submit: () => {
        const changed = {};
        if (phone.value.trim() !== (customer.phone ?? "")) changed.phone = phone.value.trim();
        if (email.value.trim() !== (customer.email ?? "")) changed.email = email.value.trim();
        if (address.value.trim() !== before.trim()) changed.address = address.value.trim();
        if (!Object.keys(changed).length) throw new Error("Nothing was changed.");
        return this.#api.post(`conversations/${row.id}/customer`, changed);
      },
    });
    if (done) toast("Saved.");
    if (done) this.#on.changed(row.id);
  }

  async #give(row) {
    const points = input({ type: "number", min: 1, step: 1, required: "", "data-testid": "goodwill-points" });
    const reason = input({ required: "", maxlength: 500, "data-testid": "goodwill-reason" });
    const key = newClientId(); // trying again after a lost answer must not give twice
    const done = await ask({
      title: "Give points out of goodwill",
      body: [field("Points", points), field("Reason", reason, "It is kept with your name. The customer may be told.")],
      label: "Give",
      test: "goodwill",
      submit: () => this.#api.post(`conversations/${row.id}/goodwill`, { points: Number(points.value), reason: reason.value.trim(), key }),
    });
    if (done) toast("The points are given.");
    if (done) this.#on.changed(row.id);
  }

  async #propose(row) {
    const other = input({ required: "", placeholder: "C-1002", "data-testid": "merge-other" });
    const done = await ask({
      title: "Propose that two customers are one",
      body: [field("The other customer's number or e-mail address", other, "An admin decides; nothing is joined yet.")],
      label: "Propose",
      test: "merge",
      submit: () => this.#api.post(`conversations/${row.id}/merge`, { other: other.value.trim() }),
    });
    if (done) toast("Proposed.");
    if (done) this.#on.changed(row.id);
  }
}

const present = (nodes) => nodes.filter(Boolean);

function section(title, name, ...body) {
  const [words, ...more] = Array.isArray(title) ? title : [title];
  return el("section", { class: "panel-section", "data-testid": `panel-${name}` }, el("div", { class: "section-head" }, el("h3", {}, words), ...more), ...body);
}

/** What the visitor answered before the chat, below the shop's own questions. */
function claimed(answers) {
  if (!answers.length) return null;
  const shown = answers.map(({ id, title, answer }) => [title ?? readable(id), answer]);
  return section("Said before the chat", "claimed", el("p", { class: "quiet" }, "Claimed, not proven:"), pairs(shown));
}

const pairs = (all) => el("dl", { class: "pairs" }, ...all.flatMap(([key, value]) => [el("dt", {}, said(key)), el("dd", {}, said(value))]));

/** The first few, and the rest on demand. */
function listed(nodes) {
  const items = nodes.map((node) => el("li", {}, node));
  if (items.length <= FIRST_SHOWN) return el("ul", { class: "plain-list" }, ...items);
  const rest = el("details", { "data-name": nodes[0].textContent.slice(0, 20) }, el("summary", {}, `${items.length - FIRST_SHOWN} more`), el("ul", { class: "plain-list" }, ...items.slice(FIRST_SHOWN)));
  return el("div", {}, el("ul", { class: "plain-list" }, ...items.slice(0, FIRST_SHOWN)), rest);
}

function orders(all) {
  if (!all.length) return el("p", { class: "quiet" }, "No orders.");
  return listed(all.map(order));
}

function order(one) {
  const items = (one.lines ?? []).map((line) => said(`${line.quantity} × ${line.name || line.sku}`));
  const facts = [["Due", dateOf(one.due_on)], ["Carrier", one.carrier], ["Tracking", one.tracking_number]].filter(([, value]) => value);
  const line = el("span", { class: "order-line" }, el("strong", {}, said(one.number)), chip(readable(one.status), statusKind(one.status)), el("span", { class: "amount" }, amountOf(one)));
  const date = el("span", { class: "quiet" }, dateOf(one.placed_at));
  if (!items.length && !facts.length) return el("div", { class: "order", "data-testid": "order" }, line, date);
  return el("details", { class: "order", "data-testid": "order", "data-name": `order ${one.number}` }, el("summary", {}, line, date), items.length ? el("ul", {}, ...items.map((item) => el("li", {}, item))) : "", facts.length ? pairs(facts) : "");
}

function statusKind(status) {
  if (["delivered", "completed", "paid"].includes(status)) return "good";
  return ["cancelled", "refunded", "returned", "failed"].includes(status) ? "bad" : "person";
}

function amountOf(one) {
  const format = new Intl.NumberFormat(undefined, { style: "currency", currency: one.currency });
  return format.format(one.total_minor / 10 ** format.resolvedOptions().maximumFractionDigits);
}

function voucher(one) {
  return el("div", { class: "line-item" }, said(one.title || readable(one.kind)), el("code", {}, said(one.code)), one.expires_at ? el("span", { class: "quiet" }, `until ${dateOf(one.expires_at)}`) : "");
}

function feedback(one) {
  const kind = KINDS[one.kind] ?? readable(one.kind);
  const line = [el("strong", {}, one.score === null ? kind : `${kind}: ${one.score}`), " ", el("span", { class: "quiet" }, dateOf(one.at))];
  if (one.score === null && !one.text) line.push(el("span", { class: "quiet" }, " · not answered"));
  return el("div", {}, ...line, one.text ? el("p", { class: "quoted", dir: "auto" }, one.text) : "");
}

function notesAndTags({ tags = [], notes = [] }) {
  if (!tags.length && !notes.length) return null;
  const shown = notes.map((one) => el("div", {}, el("p", { class: "quoted", dir: "auto" }, one.text), one.at ? el("span", { class: "quiet" }, spoken("written "), momentOf(one.at), one.author ? ` · ${one.author}` : "") : ""));
  return section("Tags and notes", "notes", tags.length ? el("p", { class: "chips" }, ...tags.map((tag) => chip(tag))) : "", shown.length ? listed(shown) : "");
}

/** Data as words: lists with commas, objects as pairs. */
function inWords(value) {
  if (value === null || value === undefined || value === "") return null;
  if (Array.isArray(value)) return value.map(inWords).filter(Boolean).join(", ");
  if (typeof value === "object") return Object.entries(value).map(([key, one]) => `${readable(key)}: ${inWords(one) ?? "–"}`).join(", ");
  const text = String(value);
  return /^[a-z]+(_[a-z]+)+$/.test(text) ? readable(text) : text;
}
