/** Who works at the desk, for admins. */

import { el } from "../dom.js";
import { drawAnew } from "./keyed.js";
import { head, table } from "./pages.js";
import { momentOf } from "./times.js";
import { ask, button, chip, field, input, said, select, toast } from "./widgets.js";
import { readable, words } from "./words.js";

const ROLES = Object.entries(words.roles);

export async function draw(root, { api, agent: me }) {
  const again = () => drawAnew(root, () => draw(root, { api, agent: me }), () => root.querySelector("h1"));
  const { agents } = await api.get("agents");
  const add = button("Add somebody", () => create(api).then((done) => done && again()), { kind: "primary", test: "add-agent", part: "add" });
  const rows = agents.map((one) => {
    const actions = [
      button("Edit", () => edit(api, one, me).then((done) => done && again()), { kind: "small", test: "edit-agent", title: `Edit ${one.name}`, part: `edit ${one.id}` }),
      button("Reset password", () => reset(api, one), { kind: "small", title: `Reset the password of ${one.name}`, part: `reset ${one.id}` }),
    ];
    const who = el("span", { class: "person-cell" }, said(one.name), el("span", { class: "quiet" }, said(one.email)));
    const list = (all, name = String) => (all?.length ? all.map(name).join(", ") : el("span", { class: "quiet" }, "all"));
    return [who, words.roles[one.role], isOff(one) ? chip("Disabled", "bad") : presence(one), String(one.capacity), list(one.skills, readable), list(one.languages), el("span", { class: "item-actions" }, ...actions)];
  });
  root.replaceChildren(head("Agents", "Who helps customers, how many at once, and what they know.", add), table("Agents", ["Name", "Role", "Now", "At once", "Topics", "Languages", "Actions"], rows, { numbers: [3], test: "agents" }));
}

const isOff = (one) => Boolean(one.disabled ?? one.disabled_at);

function presence(one) {
  const there = one.is_there ?? one.presence === "online";
  return el("span", { title: one.seen_at ? `Last seen ${momentOf(one.seen_at)}` : null }, chip(there ? "Online" : "Away", there ? "good" : ""));
}

async function create(api) {
  const email = input({ type: "email", required: "", "data-testid": "agent-email" });
  const name = input({ required: "", maxlength: 80, "data-testid": "agent-name" });
  const role = select(ROLES, "agent", { "data-testid": "agent-role" });
  let made;
  const done = await ask({
    title: "Add somebody",
    body: [field("E-mail address", email), field("Name", name, "Customers read it."), field("Role", role, "Admins also manage the agents.")],
    label: "Add",
    test: "agent-dialog",
    submit: async () => (made = await api.post("agents", { email: email.value.trim(), name: name.value.trim(), role: role.value })),
  });
  if (done) await showOnce(made.agent?.name ?? name.value, made.agent?.email ?? email.value, made.password);
  return done;
}

async function edit(api, one, me) {
  const name = input({ required: "", maxlength: 80, value: one.name, "data-testid": "agent-name" });
  const role = select(ROLES, one.role, { "data-testid": "agent-role" });
  const capacity = input({ type: "number", min: 1, max: 50, required: "", value: one.capacity, "data-testid": "agent-capacity" });
  const skills = input({ value: (one.skills ?? []).join(", "), "data-testid": "agent-skills" });
  const languages = input({ value: (one.languages ?? []).join(", "), "data-testid": "agent-languages" });
  const off = el("input", { type: "checkbox", "data-testid": "agent-disabled" });
  off.checked = isOff(one);
  off.disabled = one.id === me.id;
  const done = await ask({
    title: `Edit ${one.name}`,
    body: [
      field("Name", name),
      field("Role", role),
      field("Conversations at once", capacity),
      field("Topics", skills, "With commas between them; none means all."),
      field("Languages", languages, "For example: en, fil. None means all."),
      el("label", { class: "switch-line" }, off, off.disabled ? "Disabled (nobody can disable themselves)" : "Disabled: may not sign in any more"),
    ],
    test: "agent-dialog",
    submit: () => {
      const changed = { name: name.value.trim(), role: role.value, capacity: Number(capacity.value), skills: wordsOf(skills), languages: wordsOf(languages) };
      if (off.checked !== isOff(one)) changed.disabled = off.checked;
      return api.patch(`agents/${one.id}`, changed);
    },
  });
  if (done) toast("Saved.");
  return done;
}

const wordsOf = (control) => control.value.split(",").map((word) => word.trim()).filter(Boolean);

async function reset(api, one) {
  let made;
  const done = await ask({
    title: `Reset the password of ${one.name}?`,
    body: [el("p", {}, "They are signed out everywhere, and get a one-time password from you.")],
    label: "Reset",
    submit: async () => (made = await api.post(`agents/${one.id}/reset`)),
  });
  if (done) await showOnce(one.name, one.email, made.password);
}

/** A password that is shown now and never again. */
function showOnce(name, email, password) {
  const shown = el("output", { class: "secret", "data-testid": "one-time-password" }, password);
  const copy = button("Copy", async () => {
    try {
      await navigator.clipboard.writeText(password);
      copy.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(shown);
    }
  });
  return ask({
    title: "One-time password",
    body: [el("p", {}, "For ", said(name), " (", said(email), "). It is shown only now: hand it over in person. They choose their own when they first sign in."), el("p", { class: "secret-line" }, shown, copy)],
    test: "password-dialog",
  });
}
