/** What the assistant is to be taught: marked misunderstandings, and questions that nobody had an answer for. */

import { el } from "../dom.js";
import { head, table } from "./pages.js";
import { momentOf } from "./times.js";
import { said } from "./widgets.js";
import { readable } from "./words.js";

export async function draw(root, { api }) {
  const [teaching, knowledge] = await Promise.all([api.get("teaching"), api.get("knowledge").catch(() => ({}))]);
  const marks = teaching.teaching;
  const questions = knowledge.knowledge ?? [];
  const save = el("a", { class: "button primary", href: "/desk/api/teaching/export", download: "taught.yml", "data-testid": "teaching-export" }, "Export for training");
  const rows = marks.map((one) => {
    return [link(one), readable(one.understood) || "–", el("strong", {}, readable(one.intent)), said(one.agent?.name ?? ""), momentOf(one.at)];
  });
  const asked = questions.map((one) => [link({ ...one, text: one.question }), momentOf(one.at)]);
  root.replaceChildren(
    head("Teaching", "What agents marked as misunderstood. Exported, it is training examples to look through and add to data/nlu.", save),
    rows.length ? table("Marked messages", ["The customer wrote", "Understood as", "Meant", "Marked by", "When"], rows, { test: "teaching" }) : el("p", { class: "empty" }, "Nothing was marked yet."),
    el("h2", {}, "Unanswered questions"),
    asked.length ? table("Unanswered questions", ["Question", "When"], asked, { test: "knowledge" }) : el("p", { class: "empty" }, "There are none."),
  );
}

function link(one) {
  const words = said(one.text ?? "", { class: "clamped" });
  return one.conversation_id ? el("a", { href: `#/c/${encodeURIComponent(one.conversation_id)}` }, words) : words;
}
