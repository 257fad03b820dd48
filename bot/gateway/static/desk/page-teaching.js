/** What the assistant is to be taught: marked misunderstandings, and questions that nobody had an answer for. */

import { el } from "../dom.js";
import { drawAnew } from "./keyed.js";
import { head, table } from "./pages.js";
import { momentOf } from "./times.js";
import { ask, button, said } from "./widgets.js";
import { readable } from "./words.js";

export async function draw(root, { api }) {
  const again = () => drawAnew(root, () => draw(root, { api }), () => root.querySelector("h1"));
  const drop = (title, text, path) => button("Delete", () => remove(api, title, text, path).then((done) => done && again()), { kind: "small danger", test: "teaching-delete", title: `${title}: ${text}` });
  const [teaching, knowledge] = await Promise.all([api.get("teaching"), api.get("knowledge").catch(() => ({}))]);
  const marks = teaching.teaching;
  const questions = knowledge.knowledge ?? [];
  const save = el("a", { class: "button primary", href: "/desk/api/teaching/export", download: "taught.yml", "data-testid": "teaching-export" }, "Export for training");
  const rows = marks.map((one) => {
    return [link(one), readable(one.understood) || "–", el("strong", {}, readable(one.intent)), said(one.agent?.name ?? ""), momentOf(one.at), drop("Delete this mark", one.text, `teaching/${one.conversation_id}/${one.seq}`)];
  });
  const asked = questions.map((one) => [link({ ...one, text: one.question }), momentOf(one.at), drop("Delete this question", one.question, `knowledge/${one.id}`)]);
  root.replaceChildren(
    head("Teaching", "What agents marked as misunderstood. Exported, it is training examples to look through and add to data/nlu.", save),
    rows.length ? table("Marked messages", ["The customer wrote", "Understood as", "Meant", "Marked by", "When", "Actions"], rows, { test: "teaching" }) : el("p", { class: "empty" }, "Nothing was marked yet."),
    el("h2", {}, "Unanswered questions"),
    asked.length ? table("Unanswered questions", ["Question", "When", "Actions"], asked, { test: "knowledge" }) : el("p", { class: "empty" }, "There are none."),
  );
}

const remove = (api, title, text, path) =>
  ask({
    title: `${title}?`,
    body: [el("p", { dir: "auto" }, text)],
    label: "Delete",
    kind: "danger",
    test: "teaching-delete-dialog",
    submit: () => api.delete(path),
  });

function link(one) {
  const words = said(one.text ?? "", { class: "clamped" });
  return one.conversation_id ? el("a", { href: `#/c/${encodeURIComponent(one.conversation_id)}` }, words) : words;
}
