/** The desk: puts the pieces together. */

import { Actions } from "./actions.js";
import { Api } from "./api.js";
import { OpenConversation } from "./conversation.js";
import { Files } from "./files.js";
import { Frame } from "./frame.js";
import { listen, showHelp } from "./keys.js";
import { Lists } from "./lists.js";
import { Live } from "./live.js";
import { Notifier } from "./notify.js";
import { Offers } from "./offers.js";
import { Drafts, Outgoing } from "./outgoing.js";
import { decoded, openPage } from "./pages.js";
import { CustomerPanel } from "./panel.js";
import { ReplyBox } from "./reply.js";
import { shortcutsFor } from "./shortcuts.js";
import { SignIn } from "./signin.js";
import { startClocks } from "./times.js";
import { Thread } from "./thread.js";
import { Uploads } from "./uploads.js";
import { attempt } from "./widgets.js";
import { nameOf } from "./words.js";

const $ = (id) => document.getElementById(id);
const LOOK_ANYWAY_MS = 60000;
const READ_AFTER_MS = [1200, 5000];

const api = new Api();
const signIn = new SignIn(api, begin);
const files = new Files(api);
const uploads = new Uploads(api, files);
const desk = { agent: null, csrf: "", wishes: [], known: new Set(), taken: new Set(), wasOnPage: false };
let drafts, outgoing, actions;

const notifier = new Notifier(open);
const live = new Live({ frame: receive, state: linkChanged, ask: () => api.get("me").catch(() => {}) });
const frame = new Frame({ api, notifier, on: { help: () => showHelp(SHORTCUTS), password: changePassword, signOut, presence: setPresence } });
const offers = new Offers({ accept: (row) => actions.run("claim", row).then(() => open(row.id)), pass: (row) => actions.run("pass", row), open });
const lists = new Lists({ api, drafts: { has: (id) => drafts?.has(id) ?? false }, on: { open, news, back } });
const thread = new Thread({
  wishes: () => desk.wishes,
  earlier: (before) => current.earlier(before),
  teach: (message, intent) => current.teach(message, intent),
  draft: (question) => current.draft(question),
  retry: (entry) => outgoing.retry(entry),
  drawFile: (file) => files.draw(file),
  partOf: (entry) => uploads.partOf(entry.client_id),
  discard(entry) {
    outgoing.remove(entry);
    if (entry.kind === "file") uploads.drop(entry.client_id);
    else reply.restore(entry.kind, entry.text);
  },
});
const reply = new ReplyBox({
  drafts: { get: (...all) => drafts.get(...all), put: (...all) => drafts.put(...all), has: (id) => drafts.has(id) },
  on: {
    send: (conversation, kind, text) => outgoing.add(conversation, kind, text),
    sendFile: (conversation, file) => outgoing.addFile(conversation, uploads.hold(file)),
    typing: (conversation) => live.send({ type: "typing", conversation_id: conversation }),
    values: () => current.placeholders(),
    changed: () => lists.draw(),
  },
});
const panel = new CustomerPanel({ api, on: { changed, open, label: (name) => lists.showLabel(name), close: () => showPanel(false) } });
const current = new OpenConversation({
  ...{ api, live, lists, thread, reply, panel },
  ...{ me: () => desk.agent, actions: () => actions, outgoing: () => outgoing, left: () => showPanel(false) },
});
const SHORTCUTS = shortcutsFor({ isIn: () => desk.agent !== null, open: current, actions: () => actions, lists, reply, showPanel, help: () => showHelp(SHORTCUTS) });

// ---- coming and going

/** Somebody is in: show the desk. */
function begin({ agent, csrf }) {
  api.csrf = desk.csrf = csrf;
  desk.agent = agent;
  drafts = new Drafts(agent.id);
  outgoing = new Outgoing({ agentId: agent.id, send: deliver, onChange: delivered, holds: (id) => uploads.has(id) });
  actions = new Actions({ api, me: agent, on: { taking: (id) => desk.taken.add(id), refused: (id) => desk.taken.delete(id), changed, gone, team, goOnline: () => setPresence("online") } });
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
  current.close();
  files.clear();
  desk.agent = null;
  desk.known.clear();
  api.csrf = desk.csrf = "";
  lists.clear();
  offers.clear();
  notifier.count(0);
  // What others must not see on this screen is gone with the dialogs, too.
  $("dialogs").replaceChildren();
  $("toasts").replaceChildren();
  $("page").replaceChildren();
  signIn.show(problem);
}

async function signOut() {
  const done = await attempt(() => api.post("logout"));
  if (!done) return;
  drafts.forget();
  outgoing.forget();
  uploads.forget();
  reply.attachments.forget();
  location.hash = "";
  leave();
}

function changePassword() {
  signIn.askForPassword({ agent: desk.agent, csrf: desk.csrf }, { canCancel: true });
}

async function setPresence(status) {
  const done = await attempt(() => api.put("presence", { status }));
  if (done) desk.agent.presence = status;
  frame.drawPresence(desk.agent.presence);
  lists.refresh();
  return done;
}

async function loadWords() {
  const [canned, wishes] = await Promise.all([api.get("canned").catch(() => null), api.get("intents").catch(() => null)]);
  if (canned) reply.canned = canned.canned;
  if (wishes) desk.wishes = wishes.intents;
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
  if (isPage) {
    current.lookAway();
    desk.wasOnPage = true;
    return openPage(name, { api, agent: desk.agent, changed: loadWords });
  }
  const wanted = decoded(id);
  if (desk.wasOnPage) loadWords();
  desk.wasOnPage = false;
  if (wanted) current.load(wanted);
  else current.close();
}

function open(id) {
  const hash = `#/c/${encodeURIComponent(id)}`;
  if (location.hash === hash) current.load(id);
  else location.hash = hash;
}

/** Something may have changed in a conversation. */
function changed(id) {
  current.changed(id);
}

/** What was on the screen is somebody else's now. */
function gone(id) {
  if (current.isOpen(id) && innerWidth <= 700) location.hash = "#/";
}

// ---- sending

function deliver(entry) {
  const { conversation, kind, text, client_id } = entry;
  if (kind === "file") return uploads.send(entry);
  if (kind === "note") return api.post(`conversations/${conversation}/note`, { text, client_id });
  return api.post(`conversations/${conversation}/reply`, { text, client_id });
}

function delivered(conversation, answer, entry) {
  if (!current.isOpen(conversation)) return lists.draw();
  if (answer?.seq && entry) thread.add({ seq: answer.seq, author: "agent", name: desk.agent.name, text: entry.text, file: answer.file, at: new Date().toISOString(), client_id: entry.client_id });
  if (answer?.note) thread.addNote(answer.note);
  thread.showPending(outgoing.of(conversation));
  if (!entry) return;
  // By then the customer may have read it.
  for (const wait of READ_AFTER_MS) setTimeout(() => lists.refresh({ hurry: true }), wait);
}

// ---- what the server says

function receive(told) {
  if (told.type === "offer") lists.refresh({ hurry: true });
  else current.receive(told);
}

function linkChanged(state) {
  frame.showLink(state);
  if (state !== "online") return;
  // Whatever happened meanwhile was not heard.
  lists.refresh();
  current.catchUp();
  outgoing?.retryLost();
}

/** A list has been looked at again: is there something new to do? */
function news(before, after, tab) {
  offers.show([...lists.rowsOf("queue"), ...lists.rowsOf("callback")].filter((row) => row.offered_to_me));
  current.compare(after.find((row) => current.isOpen(row.id)));
  const knew = new Map(before.map((row) => [row.id, row]));
  for (const row of after) {
    const name = row.customer?.verified ? nameOf(row.customer) : "A visitor";
    const known = knew.get(row.id);
    const isNew = !known && desk.known.has(tab);
    if ((tab === "queue" || tab === "callback") && row.offered_to_me && !known?.offered_to_me) notifier.tell(`${name} is offered to you.`, row.id);
    else if (tab === "queue" && isNew) notifier.tell(`${name} waits for a person.`, row.id);
    else if (tab === "callback" && isNew) notifier.tell(`${name} is to be called back.`, row.id);
    // What one has taken here oneself is no news.
    else if (tab === "mine" && isNew && !desk.taken.delete(row.id)) {
      notifier.tell(`${name} is with you now.`, row.id);
      lists.isNew(row.id);
    }
    else if (tab === "mine" && known && row.unread > known.unread && !current.isOpen(row.id)) notifier.tell(`${name} has written.`, row.id);
  }
  desk.known.add(tab);
  notifier.count(lists.rowsOf("queue").length + lists.rowsOf("callback").length + lists.unseen);
}

/** The time has come to which somebody had put a conversation off. */
function back(row) {
  notifier.tell(`${row.customer?.verified ? nameOf(row.customer) : "A visitor"} is back: you snoozed it until now.`, row.id);
}

// ---- what belongs to the window

/** On screens without room for it, the customer's column lies over the conversation. */
function showPanel(isOpen = $("console").dataset.panel !== "open") {
  $("console").dataset.panel = isOpen ? "open" : "";
  $("panel-toggle").setAttribute("aria-expanded", String(isOpen));
  if (isOpen) $("panel").focus({ preventScroll: true });
}

listen(SHORTCUTS, () => current.isLoading);
$("panel-toggle").addEventListener("click", () => showPanel());
$("back").addEventListener("click", () => (location.hash = "#/"));
$("reconnect").addEventListener("click", () => live.retryNow());
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || $("console").dataset.panel !== "open" || document.querySelector("dialog[open]")) return;
  showPanel(false);
  $("panel-toggle").focus();
});
window.addEventListener("hashchange", route);
// Another tab of the same agent has written, or sent, something.
window.addEventListener("storage", (event) => {
  const written = desk.agent && drafts.writtenIn(event);
  if (written) {
    reply.writtenElsewhere(...written);
    lists.draw();
  }
  if (desk.agent) outgoing.heard(event);
});
document.addEventListener("visibilitychange", () => current.markRead());
startClocks(
  () => api.ahead,
  () => {
    offers.tick();
    lists.tick();
  },
);
// A hint can be lost: look now and then in any case. Of new canned replies nobody tells.
setInterval(() => {
  if (!desk.agent || document.hidden) return;
  lists.refresh();
  loadWords();
}, LOOK_ANYWAY_MS);

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
