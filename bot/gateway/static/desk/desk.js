/** The desk: puts the pieces together. */

import { el } from "../dom.js";
import { Actions, isMine } from "./actions.js";
import { Api } from "./api.js";
import { Frame } from "./frame.js";
import { listen, showHelp } from "./keys.js";
import { Lists } from "./lists.js";
import { Live } from "./live.js";
import { Notifier } from "./notify.js";
import { Offers } from "./offers.js";
import { Drafts, Outgoing } from "./outgoing.js";
import { openPage } from "./pages.js";
import { CustomerPanel } from "./panel.js";
import { ReplyBox } from "./reply.js";
import { reasonOf, stageOf } from "./rows.js";
import { SignIn } from "./signin.js";
import { startClocks } from "./times.js";
import { Thread } from "./thread.js";
import { attempt, chip, said, toast } from "./widgets.js";
import { nameOf, readable, words } from "./words.js";

const $ = (id) => document.getElementById(id);
const LOOK_AGAIN_MS = 150;
const LOOK_ANYWAY_MS = 60000;
const PAUSE_MS = 2500;
const READ_AFTER_MS = [1200, 5000];

const api = new Api();
const signIn = new SignIn(api, begin);
const desk = { agent: null, detail: null, opening: null, viewers: [], canned: [], wishes: [], looking: null, lookedAt: 0 };
let drafts, outgoing, actions;

const notifier = new Notifier(open);
const live = new Live({ frame: receive, state: linkChanged, ask: () => api.get("me").catch(() => {}) });
const frame = new Frame({ api, notifier, on: { help: () => showHelp(SHORTCUTS), password: changePassword, signOut, presence: setPresence } });
const offers = new Offers({ accept: (row) => actions.run("claim", row).then(() => open(row.id)), pass: (row) => actions.run("pass", row), open });
const lists = new Lists({ api, drafts: { has: (id) => drafts?.has(id) ?? false }, on: { open, news } });
const thread = new Thread({
  wishes: () => desk.wishes,
  earlier,
  teach,
  draft,
  retry: (entry) => outgoing.retry(entry),
  discard(entry) {
    outgoing.remove(entry);
    reply.restore(entry.kind, entry.text);
  },
});
const reply = new ReplyBox({
  drafts: { get: (...all) => drafts.get(...all), put: (...all) => drafts.put(...all), has: (id) => drafts.has(id) },
  on: {
    send: (kind, text) => outgoing.add(desk.detail.conversation.id, kind, text),
    typing: () => live.send({ type: "typing", conversation_id: desk.detail.conversation.id }),
    values: placeholders,
    changed: () => lists.draw(),
  },
});
const panel = new CustomerPanel({ api, on: { changed, open, label: (name) => lists.showLabel(name), close: () => showPanel(false) } });

// ---- coming and going

/** Somebody is in: show the desk. */
function begin({ agent, csrf }) {
  api.csrf = csrf;
  desk.agent = agent;
  drafts = new Drafts(agent.id);
  outgoing = new Outgoing({ agentId: agent.id, send: deliver, onChange: delivered });
  actions = new Actions({ api, me: agent, on: { changed, gone, team, goOnline: () => setPresence("online") } });
  api.onSignedOut = () => leave("Your session is over. Please sign in again; what you wrote is kept.");
  $("desk").hidden = false;
  frame.show(agent);
  live.start();
  lists.refreshNow();
  lists.show(lists.tab);
  loadWords();
  route();
}

function leave(problem = "") {
  if (!desk.agent) return;
  live.stop();
  close();
  desk.agent = null;
  api.csrf = "";
  lists.clear();
  offers.clear();
  notifier.count(0);
  // What others must not see on this screen is gone with the dialogs, too.
  $("dialogs").replaceChildren();
  $("toasts").replaceChildren();
  signIn.show(problem);
}

async function signOut() {
  const done = await attempt(() => api.post("logout"));
  if (!done) return;
  drafts.forget();
  outgoing.forget();
  location.hash = "";
  leave();
}

function changePassword() {
  signIn.askForPassword({ agent: desk.agent, csrf: null }, { canCancel: true });
}

async function setPresence(status) {
  const done = await attempt(() => api.put("presence", { status }));
  if (done) desk.agent.presence = status;
  frame.drawPresence(desk.agent.presence);
  lists.refresh();
  return done;
}

async function loadWords() {
  const [canned, wishes] = await Promise.all([api.get("canned").catch(() => ({})), api.get("intents").catch(() => ({}))]);
  desk.canned = reply.canned = canned?.canned ?? [];
  desk.wishes = wishes?.intents ?? [];
}

async function team() {
  let all = [];
  await attempt(async () => ((all = (await api.get("agents")).agents ?? [])));
  return all;
}

// ---- where one is: #/ and #/c/ID are the conversations, the rest are pages

function route() {
  if (!desk.agent) return;
  const [, name = "", id = ""] = location.hash.split("/");
  const isPage = name !== "" && name !== "c";
  $("console").hidden = isPage;
  $("page").hidden = !isPage;
  frame.mark(isPage ? name : "");
  if (isPage) return openPage(name, { api, agent: desk.agent, changed: loadWords });
  if (id) load(decodeURIComponent(id));
  else close();
}

function open(id) {
  const hash = `#/c/${encodeURIComponent(id)}`;
  if (location.hash === hash) load(id);
  else location.hash = hash;
}

function close() {
  desk.detail = desk.opening = null;
  live.watch(null);
  thread.clear();
  panel.clear();
  reply.hide();
  lists.mark(null);
  for (const part of ["thread-head", "stage", "viewers"]) $(part).hidden = true;
  $("nothing").hidden = false;
  $("console").dataset.showing = "list";
  showPanel(false);
}

// ---- the conversation on the screen

async function load(id) {
  const isOther = desk.detail?.conversation.id !== id;
  if (desk.opening !== id) desk.isStale = false;
  desk.opening = id;
  if (isOther) live.watch(id);
  let detail;
  const done = await attempt(async () => (detail = await api.get(`conversations/${encodeURIComponent(id)}`)));
  if (desk.opening !== id) return; // another one was opened meanwhile
  if (!done) return isOther ? close() : undefined;
  desk.detail = detail;
  desk.lookedAt = Date.now();
  desk.viewers = detail.viewers ?? [];
  show(isOther);
  // It changed while it was on its way.
  if (desk.isStale) changed(id);
  desk.isStale = false;
}

async function earlier(before) {
  const { id } = desk.detail.conversation;
  await attempt(async () => {
    const { messages } = await api.get(`conversations/${encodeURIComponent(id)}`, { before });
    if (desk.detail?.conversation.id === id) thread.addEarlier(messages);
  });
}

function show(isOther) {
  const { conversation: row } = desk.detail;
  for (const part of ["thread-head", "stage"]) $(part).hidden = false;
  $("nothing").hidden = true;
  $("console").dataset.showing = "thread";
  $("thread-name").replaceChildren(said(nameOf(row.customer)));
  $("thread-facts").replaceChildren(...facts(row));
  actions.draw($("actions"), row);
  thread.show(desk.detail);
  thread.showPending(outgoing.of(row.id));
  const mine = isMine(row, desk.agent);
  reply.show(row.id, { mayReply: mine, why: whyNot(row) });
  panel.draw(desk.detail);
  drawViewers();
  lists.mark(row.id);
  markRead();
  const isNew = mine && !desk.wasMine;
  desk.wasMine = mine;
  if (isNew && !isOther) return reply.choose("reply");
  if (isOther && mine && matchMedia("(pointer: fine)").matches && !$("rows").contains(document.activeElement)) reply.focus();
}

function facts(row) {
  const shown = [chip(stageOf(row, desk.agent), row.stage === "queue" ? "person" : row.stage === "agent" ? "good" : "", { "data-testid": "stage" })];
  if (row.customer?.verified) shown.push(chip("Verified", "good"));
  if (row.priority > 0) shown.push(chip("Urgent", "bad"));
  if (row.blocked) shown.push(chip("Blocked", "bad"));
  if (row.reason && row.stage !== "bot") shown.push(el("span", { class: "extra" }, reasonOf(row.reason)));
  if (row.topic) shown.push(el("span", { class: "extra" }, readable(row.topic)));
  shown.push(el("span", {}, words.channels[row.channel] ?? readable(row.channel)));
  for (const label of row.labels ?? []) shown.push(chip(label, "label extra"));
  return shown;
}

function whyNot(row) {
  if (row.stage === "queue" || row.stage === "callback") return "Claim it to reply.";
  if (row.stage === "agent") return `${row.agent?.name ?? "Somebody else"} has this conversation.`;
  return row.stage === "bot" ? "The assistant has it: take it over to reply." : "It is resolved: reopen it to reply.";
}

function drawViewers() {
  const others = desk.viewers.filter(({ id }) => id !== desk.agent.id).map(({ name }) => name);
  const list = new Intl.ListFormat(undefined, { type: "conjunction" }).format(others);
  $("viewers").textContent = others.length ? `${list} ${others.length === 1 ? "is" : "are"} here, too` : "";
  $("viewers").hidden = others.length === 0;
}

/** Tell the server how far this agent has seen what is theirs. */
function markRead() {
  const row = desk.detail?.conversation;
  if (!row || document.hidden || !isMine(row, desk.agent) || thread.lastSeq <= (desk.seen?.[row.id] ?? 0)) return;
  desk.seen = { ...desk.seen, [row.id]: thread.lastSeq };
  api.post(`conversations/${row.id}/read`, { seq: thread.lastSeq }).catch(() => {});
}

/** Something may have changed: look again soon, but not all the time, as each look at a customer is noted. */
function changed(id, pause = 0) {
  lists.refresh({ hurry: pause === 0 });
  if (id === desk.opening && id !== desk.detail?.conversation.id) desk.isStale = true;
  if (id !== desk.detail?.conversation.id || (desk.looking && pause)) return;
  const wait = pause ? Math.max(LOOK_AGAIN_MS, desk.lookedAt + pause - Date.now()) : LOOK_AGAIN_MS;
  clearTimeout(desk.looking);
  desk.looking = setTimeout(() => {
    desk.looking = null;
    // Not while another one is on its way to the screen: that one is wanted.
    if (desk.detail?.conversation.id === id && desk.opening === id && !$("console").hidden) load(id);
  }, wait);
}

/** The open conversation's line in a list was told anew: is there more to it than what is on the screen? */
function compare(row) {
  if (!row || row.id !== desk.detail?.conversation.id) return;
  const shown = desk.detail.conversation;
  if (row.read_seq > (shown.read_seq ?? 0)) thread.readUntil(row.read_seq);
  const facts = ({ stage, agent, labels, offered_to_me: offered, snoozed_until: until }) => JSON.stringify([stage, agent?.id, labels, offered, until]);
  if (facts(row) !== facts(shown) || row.seq > thread.lastSeq) changed(row.id);
}

/** What was on the screen is somebody else's now. */
function gone(id) {
  if (desk.detail?.conversation.id !== id || innerWidth > 700) return;
  location.hash = "#/";
}

async function teach(message, intent) {
  const { id } = desk.detail.conversation;
  const done = await attempt(() => api.post(`messages/${id}/${message.seq}/teach`, { intent }));
  if (!done) return;
  message.taught = intent;
  thread.draw();
  toast(`Thank you. It is on the list to be taught as “${readable(intent)}”.`);
}

function draft(question) {
  return attempt(async () => {
    await api.post("knowledge", { question, conversation_id: desk.detail.conversation.id });
    toast("Noted as an unanswered question.");
  });
}

function placeholders() {
  const { conversation: row, customer, summary } = desk.detail;
  const name = customer?.name ?? row.customer?.name ?? row.customer?.claimed?.name;
  const order = summary?.order_number ?? summary?.order ?? customer?.orders?.[0]?.number;
  return { name: name?.split(" ")[0], order: typeof order === "string" ? order : null, agent: desk.agent.name.split(" ")[0] };
}

// ---- sending

function deliver({ conversation, kind, text, client_id }) {
  if (kind === "note") return api.post(`conversations/${conversation}/note`, { text, client_id });
  return api.post(`conversations/${conversation}/reply`, { text, client_id });
}

function delivered(conversation, answer, entry) {
  if (desk.detail?.conversation.id !== conversation) return lists.draw();
  if (answer?.seq && entry) thread.add({ seq: answer.seq, author: "agent", name: desk.agent.name, text: entry.text, at: new Date().toISOString(), client_id: entry.client_id });
  if (answer?.note) thread.addNote(answer.note);
  thread.showPending(outgoing.of(conversation));
  if (!entry) return;
  // By then the customer may have read it.
  for (const wait of READ_AFTER_MS) setTimeout(() => lists.refresh({ hurry: true }), wait);
}

// ---- what the server says

function receive(frameOf) {
  const here = frameOf.conversation_id && frameOf.conversation_id === desk.detail?.conversation.id;
  if (frameOf.type === "changed") changed(frameOf.conversation_id ?? null, PAUSE_MS);
  else if (frameOf.type === "message") messageCame(frameOf, here);
  else if (frameOf.type === "offer") lists.refresh({ hurry: true });
  else if (frameOf.type === "read" && here) thread.readUntil(frameOf.seq);
  else if (frameOf.type === "viewers" && here) {
    desk.viewers = frameOf.viewers ?? [];
    drawViewers();
  } else if (frameOf.type === "typing" && here) someoneTypes(frameOf);
}

function messageCame({ conversation_id: id, message }, here) {
  lists.refresh();
  if (!here) return;
  // A gap means that frames were lost: look at the whole again.
  if (!thread.add(message)) changed(id);
  markRead();
}

function someoneTypes({ author, text }) {
  const { conversation: row } = desk.detail;
  if (author === "customer") thread.showTyping(nameOf(row.customer), text);
  else if (author === "bot") thread.showTyping(words.authors.bot, "");
  // Only whoever has it types to the customer: where that is oneself, it is one's own.
  else if (!isMine(row, desk.agent)) thread.showTyping(row.agent?.name ?? "A colleague", "");
}

function linkChanged(state) {
  frame.showLink(state);
  if (state !== "online") return;
  // Whatever happened meanwhile was not heard.
  lists.refresh();
  if (desk.detail && Date.now() - desk.lookedAt > LOOK_AGAIN_MS) changed(desk.detail.conversation.id);
  outgoing?.retryLost();
}

/** A list has been looked at again: is there something new to do? */
function news(before, after, tab) {
  offers.show([...lists.rowsOf("queue"), ...lists.rowsOf("callback")].filter((row) => row.offered_to_me));
  const unread = lists.rowsOf("mine").filter((row) => row.unread > 0).length;
  notifier.count(lists.rowsOf("queue").length + unread);
  compare(after.find((row) => row.id === desk.detail?.conversation.id));
  const knew = new Map(before.map((row) => [row.id, row]));
  for (const row of after) {
    const name = row.customer?.verified ? nameOf(row.customer) : "A visitor";
    const known = knew.get(row.id);
    if (tab === "queue" && row.offered_to_me && !known?.offered_to_me) notifier.tell(`${name} is offered to you.`, row.id);
    else if (tab === "queue" && !known && desk.knowsQueue) notifier.tell(`${name} waits for a person.`, row.id);
    else if (tab === "mine" && row.unread > (known?.unread ?? 0) && row.id !== desk.detail?.conversation.id) notifier.tell(`${name} has written.`, row.id);
  }
  if (tab === "queue") desk.knowsQueue = true;
}

// ---- keys, and what belongs to the window

const onOpen = (run) => () => Boolean(desk.detail && !$("console").hidden) && run(desk.detail.conversation);
const act = (...ids) => onOpen((row) => ids.some((id) => actions.runIfPossible(id, row)));
const inConsole = (run) => () => Boolean(desk.agent && !$("console").hidden) && (run(), true);

const SHORTCUTS = [
  ["Moving", [
    { key: "j", also: "ArrowDown", about: "Next conversation", run: inConsole(() => lists.move(1)) },
    { key: "k", also: "ArrowUp", about: "Previous conversation", run: inConsole(() => lists.move(-1)) },
    { key: "1", about: "Mine", run: inConsole(() => lists.show("mine")) },
    { key: "2", about: "Queue", run: inConsole(() => lists.show("queue")) },
    { key: "3", about: "Call-backs", run: inConsole(() => lists.show("callback")) },
    { key: "4", about: "With the assistant", run: inConsole(() => lists.show("bot")) },
    { key: "/", about: "Search", run: inConsole(() => lists.show("search")) },
    { key: "u", about: "The customer's column", run: inConsole(() => showPanel()) },
    { key: "?", about: "This list", run: () => Boolean(desk.agent) && (showHelp(SHORTCUTS), true) },
  ]],
  ["In a conversation", [
    { key: "c", about: "Claim, accept, take over", run: act("claim", "takeover") },
    { key: "p", about: "Pass an offer", run: act("pass") },
    { key: "r", about: "Write a reply", run: onOpen(() => (reply.choose("reply"), true)) },
    { key: "n", about: "Write a note", run: onOpen(() => (reply.choose("note"), true)) },
    { key: "e", about: "Resolve", run: act("resolve") },
    { key: "t", about: "Transfer", run: act("transfer") },
    { key: "b", about: "Back to the bot", run: act("return") },
    { key: "s", about: "Snooze", run: act("snooze") },
    { key: "l", about: "Labels", run: act("label") },
  ]],
];

/** On screens without room for it, the customer's column lies over the conversation. */
function showPanel(isOpen = $("console").dataset.panel !== "open") {
  $("console").dataset.panel = isOpen ? "open" : "";
  $("panel-toggle").setAttribute("aria-expanded", String(isOpen));
  if (isOpen) $("panel").focus({ preventScroll: true });
}

listen(SHORTCUTS);
$("panel-toggle").addEventListener("click", () => showPanel());
$("back").addEventListener("click", () => (location.hash = "#/"));
$("reconnect").addEventListener("click", () => live.retryNow());
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || $("console").dataset.panel !== "open" || document.querySelector("dialog[open]")) return;
  showPanel(false);
  $("panel-toggle").focus();
});
window.addEventListener("hashchange", route);
document.addEventListener("visibilitychange", markRead);
startClocks(() => api.ahead, () => desk.agent && offers.tick());
// A hint can be lost: look now and then in any case.
setInterval(() => desk.agent && !document.hidden && lists.refresh(), LOOK_ANYWAY_MS);

async function start() {
  try {
    const me = await api.get("me");
    api.csrf = me.csrf;
    if (me.agent.must_change_password) signIn.askForPassword(me);
    else begin(me);
  } catch (error) {
    signIn.show(error.status === 401 ? "" : error.message);
  }
}

start();
