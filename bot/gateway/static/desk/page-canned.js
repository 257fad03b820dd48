/** Canned replies: what the team often writes. */

import { el } from "../dom.js";
import { drawAnew } from "./keyed.js";
import { head } from "./pages.js";
import { area, ask, button, field, input, said, toast } from "./widgets.js";

export async function draw(root, { api, changed }) {
  const again = async () => {
    await drawAnew(root, () => draw(root, { api, changed }), () => root.querySelector("h1"));
    changed();
  };
  const canned = (await api.get("canned")).canned ?? [];
  canned.sort((one, other) => one.shortcut.localeCompare(other.shortcut));
  const add = button("New reply", () => edit(api, null).then((done) => done && again()), { kind: "primary", test: "new-canned", part: "new" });
  const about = "Type / in a reply to call one up. {name}, {order} and {agent} are filled in.";
  const items = canned.map((one) =>
    el(
      "li",
      { class: "canned-item", "data-testid": "canned-item" },
      el("div", {}, el("strong", {}, said(`/${one.shortcut}`)), el("p", { dir: "auto" }, one.text)),
      el("div", { class: "item-actions" }, button("Edit", () => edit(api, one).then((done) => done && again()), { kind: "small", part: `edit ${one.shortcut}`, title: `Edit /${one.shortcut}` }), button("Delete", () => remove(api, one).then((done) => done && again()), { kind: "small danger", title: `Delete /${one.shortcut}` })),
    ),
  );
  root.replaceChildren(head("Canned replies", about, add), items.length ? el("ul", { class: "card-list" }, ...items) : el("p", { class: "empty" }, "There are none yet."));
}

async function edit(api, one) {
  const shortcut = input({ required: "", maxlength: 40, pattern: "[^\\s\\/]+", value: one?.shortcut ?? "", "data-testid": "canned-shortcut", autocapitalize: "none" });
  const text = area({ required: "", rows: 5, maxlength: 2000, "data-testid": "canned-text" }, one?.text ?? "");
  const done = await ask({
    title: one ? `Edit /${one.shortcut}` : "New canned reply",
    body: [field("Shortcut", shortcut, "One short word, typed after a slash."), field("Text", text, "{name} is the customer, {order} their order, {agent} whoever writes.")],
    test: "canned-dialog",
    submit: async () => {
      const name = shortcut.value.trim().toLowerCase();
      await api.put(`canned/${encodeURIComponent(name)}`, { text: text.value.trim() });
      if (one && one.shortcut !== name) await api.delete(`canned/${encodeURIComponent(one.shortcut)}`);
    },
  });
  if (done) toast("Saved.");
  return done;
}

const remove = (api, one) =>
  ask({
    title: `Delete /${one.shortcut}?`,
    body: [el("p", { dir: "auto" }, one.text)],
    label: "Delete",
    kind: "danger",
    submit: () => api.delete(`canned/${encodeURIComponent(one.shortcut)}`),
  });
