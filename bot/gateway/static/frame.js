/** The chat panel: puts the pieces together and speaks the website chat protocol. */

import { AwayNotice } from "./away.js";
import { Composer } from "./composer.js";
import { config } from "./config.js";
import { Connection } from "./connection.js";
import { Details } from "./details.js";
import { el } from "./dom.js";
import { Files } from "./files.js";
import { connectHost, subjectOf } from "./host.js";
import { drawAvatar, setTheme } from "./look.js";
import { newClientId, Outbox } from "./outbox.js";
import { Ratings } from "./rating.js";
import { Sound } from "./sound.js";
import { Announcer, ConnectionNotice, OwnerNotice, Waiting } from "./status.js";
import { Shelf } from "./storage.js";
import { greeting, knows, starters, t, translate } from "./texts.js";
import { Transcript } from "./transcript.js";

translate(document);
const $ = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
const site = query.get("site") || "default";

/** {token, subject, conversation, shop, assistant}: who this browser is, shared by its tabs. */
const identity = new Shelf("local", `kasuki:${site}`);
const session = {
  identityToken: null,
  conversation: null,
  lastSeq: 0, // the last message that came in order; an ack's seq may run ahead of messages still on their way
  askedAfter: 0,
  readSeq: 0,
  historyUntil: 0,
  refusals: 0,
  owner: "bot",
  agent: null,
  customer: null,
  shop: identity.read()?.shop ?? readable(site),
  assistant: identity.read()?.assistant ?? "Suki",
  hasBegun: false, // whether anything was said before this page
  open: false,
  unread: 0,
};

const announcer = new Announcer($("announcer"));
const connectionNotice = new ConnectionNotice($("connection"), announcer);
const ownerNotice = new OwnerNotice($("owner"), { announcer, onEnd: endConversation });
const transcript = new Transcript({
  log: $("log"),
  list: $("messages"),
  jump: $("jump"),
  nameOf,
  on: { choose, retry, edit, drawFile: (item) => files.draw(item), drawRating: (item) => ratings.draw(item) },
});
const waiting = new Waiting({ typing: $("typing"), slow: $("slow"), onChange: () => transcript.follow() });
const composer = new Composer({
  form: $("composer"),
  text: $("text"),
  counter: $("counter"),
  shelf: new Shelf("session", `kasuki:${site}:draft`),
  on: { send: sendText, typing: () => connection.live && connection.send({ type: "typing" }), announce: (text) => announcer.say(text) },
});
const connection = new Connection({
  hello,
  shelf: new Shelf("session", `kasuki:${site}:way`),
  onFrame: receive,
  onState: stateChanged,
});
const outbox = new Outbox({
  shelf: new Shelf("session", `kasuki:${site}:outbox`),
  send: (frame) => connection.send(frame),
  onStuck: () => connection.restart(),
});
const files = new Files({
  button: $("attach"),
  input: $("attachment"),
  zone: document.querySelector("main"),
  text: $("text"),
  shelf: new Shelf("session", `kasuki:${site}:files`),
  on: {
    token: () => (connection.online ? identity.read()?.token : null),
    show(entry) {
      showEntry(entry);
      draw();
    },
    deliver: (clientId, seq) => transcript.deliver(clientId, seq),
    fail(clientId, words, canRetry) {
      transcript.fail(clientId, words, { canRetry, canEdit: false });
      announcer.say(`${t("status.failed")}. ${words}`);
    },
    remove: (clientId) => transcript.removePending(clientId),
    say,
    announce: (words) => announcer.say(words),
    greet: () => connection.restart(),
    follow: () => transcript.follow(),
  },
});
const ratings = new Ratings({
  send: (frame) => connection.send(frame),
  announce: (words) => announcer.say(words),
  askPerson() {
    composer.focus();
    sendText(t("starter.person"));
  },
});
const awayNotice = new AwayNotice($("away"), {
  shelf: new Shelf("session", `kasuki:${site}:away`),
  announce: (words) => announcer.say(words),
  onChange: draw,
});
const details = new Details({
  form: $("details"),
  shelf: new Shelf("session", `kasuki:${site}:details`),
  on: {
    token: () => identity.read()?.token,
    changed: draw,
    done: () => composer.focus(),
  },
});
const sound = new Sound({ button: $("sound"), shelf: new Shelf("local", `kasuki:${site}:sound`), isOn: config.sound });
const host = connectHost(query.get("host"), {
  init({ token, signed_out: signedOut }) {
    if (signedOut) forget();
    if (token) setIdentity(token);
    outbox.entries.forEach(showEntry);
    draw();
    connection.restart();
  },
  identify({ token }) {
    if (setIdentity(token)) connection.restart();
  },
  logout() {
    forget();
    connection.restart();
  },
  theme({ theme }) {
    setTheme(theme);
  },
  open({ draft }) {
    session.open = true;
    if (draft) composer.offer(draft);
    transcript.toEnd();
    // On a touch screen the box would bring up the keyboard over the greeting.
    if (matchMedia("(pointer: coarse)").matches) $("shop").focus();
    else if (details.shown) details.focus();
    else composer.focus();
    markRead();
  },
  close() {
    session.open = false;
  },
});
if (!host.embedded) session.open = true;

// ---- what the server says

function hello() {
  session.askedAfter = session.lastSeq;
  const token = identity.read()?.token ?? null;
  return { type: "hello", visitor_token: token, identity_token: session.identityToken, last_seq: session.lastSeq, language: config.language.code };
}

/** `accepted` is false before "ready": such a frame is about the hello. */
function receive(frame, accepted) {
  if (Number.isInteger(frame.max_text)) composer.max = frame.max_text;
  if (frame.type === "ready") ready(frame);
  else if (frame.type === "message") message(frame);
  else if (frame.type === "ack") acknowledged(frame);
  else if (frame.type === "typing") typing(frame);
  else if (frame.type === "owner") ownerChanged(frame, true);
  else if (frame.type === "signed_out") signedOut(frame);
  else if (frame.type === "error") (accepted ? refused : helloRefused)(frame);
}

function ready(frame) {
  const before = session.conversation;
  const known = identity.read() ?? {};
  const moved = before !== null && before !== frame.conversation_id;
  if (known.conversation && known.conversation !== frame.conversation_id) dropChoices();
  session.conversation = frame.conversation_id;
  session.refusals = 0;
  session.customer = frame.customer?.name ?? null;
  session.shop = frame.shop ?? session.shop;
  session.assistant = frame.assistant ?? session.assistant;
  identity.write({
    token: frame.visitor_token,
    subject: session.identityToken ? subjectOf(session.identityToken) : known.subject ?? null,
    conversation: frame.conversation_id,
    shop: session.shop,
    assistant: session.assistant,
  });
  if (moved) {
    clearConversation();
    // The server may have replayed only what comes after the old conversation's last message: ask for all of it.
    if (session.askedAfter > 0) return connection.restart();
  }
  session.historyUntil = session.askedAfter === 0 ? frame.seq : 0;
  session.hasBegun = frame.seq > 0;
  awayNotice.hours = frame.hours;
  details.show(Boolean(frame.details_asked) && transcript.empty);
  ownerChanged(frame, before !== null && !moved);
  draw();
  outbox.pump();
  ratings.flush();
  files.resume();
}

/** Nobody may see this conversation any more: the customer has logged out, or the proof of who they are has run out. */
function signedOut({ reason }) {
  if (reason === "expired" && session.identityToken) {
    // The page may have a fresh token, and then this conversation goes on: it is given a moment.
    session.identityToken = null;
    host.tell("identity-expired");
    connection.holdOff(2);
    return say(t("identity_expired"));
  }
  forget();
  say(t(reason === "expired" ? "sign_in_over" : "signed_out"));
  connection.restart();
}

function message(frame) {
  session.lastSeq = Math.max(session.lastSeq, frame.seq);
  // The owner frame may come without a name; the agent's first message has it.
  if (frame.author === "agent" && session.owner === "agent") ownerChanged({ owner: "agent", name: frame.name }, false);
  if (frame.author === "customer") {
    const mine = ownEntry(frame);
    if (mine) transcript.deliver(mine.client_id, frame.seq);
    if (frame.client_id) files.heard(frame.client_id, frame.seq);
    if (frame.client_id) acknowledged(frame); // the echo names the entry, so it proves as much as an ack
  }
  const isNew = transcript.show(frame);
  draw();
  if (frame.author === "customer") return;
  if (frame.author !== "system") waiting.done();
  transcript.follow();
  if (isNew && frame.seq > session.historyUntil) announceMessage(frame);
  markRead();
}

/** Only whoever has the conversation is shown typing: a bot that is still thinking will not be heard any more. */
function typing({ author }) {
  if (author !== session.owner) return;
  waiting.showTyping(author === "agent" ? session.agent ?? t("team") : session.assistant);
}

/** The entry that this echo is about: by its id, or else the first one with the same words that has been on its way. */
function ownEntry(frame) {
  if (frame.client_id) return outbox.find(frame.client_id);
  return outbox.entries.find((entry) => entry.sent && !entry.failed && entry.text === frame.text);
}

function acknowledged({ client_id, seq }) {
  const entry = outbox.find(client_id);
  if (!entry) return;
  transcript.deliver(client_id, seq);
  // Its place was taken by an echo of the same words from another tab: show it all the same.
  if (!transcript.has(seq)) transcript.show({ seq, author: "customer", text: entry.text, at: new Date().toISOString() });
  outbox.remove(client_id);
  say("");
  // An answer that is already here (this ack came late, after a reconnection) is not to be waited for.
  if (session.owner === "bot" && session.lastSeq <= seq) waiting.expect();
}

function ownerChanged({ owner, position = null, name = null }, isNews) {
  session.owner = owner;
  session.agent = owner === "agent" ? name ?? session.agent : null;
  if (owner !== "bot") waiting.done();
  session.position = position;
  ownerNotice.show({ owner, position, agent: session.agent, assistant: session.assistant, awayUntil: awayNotice.until, isNews });
  draw();
  transcript.follow();
}

/** The hello was refused: drop what the server no longer accepts, one thing at a time, rather than give up. */
function helloRefused({ code, retry_after: retryAfter, message: words }) {
  if (code === "rate_limited") return connection.holdOff(retryAfter ?? 5);
  if (code !== "unauthorized" || session.refusals > 2) {
    connection.stop();
    return say(explain(code, words));
  }
  session.refusals += 1;
  if (session.identityToken) {
    session.identityToken = null;
    host.tell("identity-expired");
    say(t("identity_expired"));
  } else {
    identity.remove();
  }
  connection.restart();
}

/** A message or choice was refused, or something less particular went wrong. */
function refused({ code, client_id: clientId, retry_after: retryAfter, message: words }) {
  const entry = clientId ? outbox.find(clientId) : null;
  if (code === "rate_limited") {
    const seconds = Math.max(1, Math.ceil(retryAfter ?? 5));
    say(t("error.rate_limited", { count: seconds }));
    if (entry) outbox.postpone(seconds);
    return;
  }
  if (code === "unauthorized" && entry && !entry.greeted) {
    entry.greeted = true; // once only: a server that keeps refusing must not be asked for ever
    connection.restart(); // says hello again; the entry stays and is sent after it
    return;
  }
  if (!entry) return say(explain(code, words));
  entry.reason = explain(code, words);
  entry.canRetry = entry.type === "message" && code !== "too_long";
  outbox.fail(clientId);
  showFailure(entry);
  announcer.say(`${t("status.failed")}. ${entry.reason}`);
}

function showEntry(entry) {
  transcript.showPending(entry);
  if (entry.failed) showFailure(entry);
}

function showFailure({ client_id, type, reason, canRetry }) {
  transcript.fail(client_id, reason, { canRetry, canEdit: type === "message" });
}

function explain(code, words) {
  const key = `error.${code}`;
  return knows(key) ? t(key, { count: composer.max }) : words ?? t("error.unknown");
}

// ---- what the customer does

function sendText(text) {
  const entry = { client_id: newClientId(), type: "message", text: text.toWellFormed?.() ?? text };
  submit(entry);
}

function choose({ title, payload }) {
  composer.focus(); // before the button is disabled and drops the focus
  submit({ client_id: newClientId(), type: "choice", payload, text: title });
}

function submit(entry) {
  details.leave();
  awayNotice.written();
  transcript.showPending(entry);
  draw();
  outbox.add(entry);
}

/** A refused message again, as a new one: its old id belongs to what was refused. */
function retry(clientId) {
  if (files.has(clientId)) return files.retry(clientId);
  const { text } = outbox.find(clientId);
  discard(clientId);
  composer.focus();
  sendText(text);
}

function edit(clientId) {
  const { text } = outbox.find(clientId);
  discard(clientId);
  composer.restore(text);
  composer.focus();
}

function discard(clientId) {
  transcript.removePending(clientId);
  outbox.remove(clientId);
}

function endConversation() {
  connection.send({ type: "end" });
  composer.focus();
}

function leave() {
  host.tell("close");
}

// ---- identity

/** Keep a token from the shop's page; says whether the server must hear of it now. */
function setIdentity(token) {
  const known = identity.read()?.subject ?? null;
  const subject = subjectOf(token);
  const isSame = session.identityToken !== null && subject === subjectOf(session.identityToken);
  // Another customer on the same computer must find nothing of the first.
  if (known !== null && known !== subject) forget();
  session.identityToken = token;
  say("");
  return !(isSame && connection.online && session.customer !== null);
}

/** Leave no trace of the person who was here. */
function forget() {
  identity.remove();
  outbox.clear();
  files.clear();
  details.clear();
  ratings.clear();
  awayNotice.clear();
  composer.clear();
  Object.assign(session, { identityToken: null, conversation: null, customer: null, owner: "bot" });
  clearConversation();
  announcer.clear();
  ownerNotice.show({ owner: "bot", isNews: false });
  say("");
  draw();
}

function clearConversation() {
  Object.assign(session, { lastSeq: 0, readSeq: 0, historyUntil: 0, agent: null });
  transcript.clear();
  waiting.done();
  countUnread(0);
  outbox.entries.forEach(showEntry);
  files.again();
}

/** A choice belongs to the conversation that offered it. */
function dropChoices() {
  for (const { type, client_id } of [...outbox.entries]) if (type === "choice") discard(client_id);
}

// Another tab signed out: this one must not keep showing the conversation.
window.addEventListener("storage", (event) => {
  if (event.key !== identity.key || event.newValue !== null || session.conversation === null) return;
  forget();
  connection.restart();
});

// ---- what is on the screen

function stateChanged(state) {
  outbox.reset(); // whatever was under way is sent again after the next "ready"
  if (state !== "online") waiting.done();
  else if (document.activeElement === $("retry")) composer.focus(); // the strip is about to go, and the focus with it
  connectionNotice.show(state);
}

function nameOf(author, name) {
  if (author === "customer") return t("you");
  if (author === "system") return t("notice");
  if (author === "agent") return name ? t("sender.agent", { name }) : t("team");
  return t("sender.bot", { name: name ?? session.assistant });
}

function draw() {
  $("shop").textContent = session.shop;
  drawAvatar(document.querySelector(".avatar"), session.shop);
  const signedIn = session.customer && session.owner === "bot" ? ` · ${t("signed_in", { name: session.customer })}` : "";
  $("subtitle").textContent = subtitle() + signedIn;
  $("greeting-text").textContent = greeting({ ...session, name: session.customer?.split(" ")[0] });
  $("starters").hidden = !transcript.empty || details.shown;
  $("composer").hidden = details.blocks;
  awayNotice.show(session);
  $("save").hidden = transcript.empty;
}

function subtitle() {
  const { owner, assistant, agent } = session;
  return owner === "agent" && agent ? t("subtitle.agent.named", { agent }) : t(`subtitle.${owner}`, { assistant });
}

/** Hand the conversation over as a file, made here: it is asked for nowhere and kept nowhere. */
function saveConversation() {
  const file = new Blob([`${session.shop}\n\n${transcript.asText()}`], { type: "text/plain;charset=utf-8" });
  const link = el("a", { href: URL.createObjectURL(file), download: `${session.shop} ${new Date().toISOString().slice(0, 10)}.txt` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  announcer.say(t("saved"));
}

/** One line of trouble above the box; an empty text takes it away. */
function say(problem) {
  if (problem && $("problem").textContent !== problem) announcer.say(problem);
  $("problem").textContent = problem;
  $("problem").hidden = problem === "";
}

function announceMessage({ author, name, text, image, choices }) {
  const picture = image?.alt ? ` ${image.alt}.` : "";
  const options = choices?.length ? ` ${t("choose")}: ${choices.map((choice) => choice.title).join(", ")}.` : "";
  announcer.say(t("said", { name: nameOf(author, name) }) + text + picture + options);
  if (!session.open || document.hidden) sound.play();
  host.tell("message", { author, name: nameOf(author, name), text });
  if (!session.open) countUnread(session.unread + 1);
}

function countUnread(count) {
  if (count === session.unread) return;
  session.unread = count;
  host.tell("unread", { count });
}

/** Tell the server how far the customer has seen the conversation. */
function markRead() {
  if (!session.open || document.hidden) return;
  countUnread(0);
  if (!connection.live || session.lastSeq <= session.readSeq) return;
  session.readSeq = session.lastSeq;
  connection.send({ type: "read", seq: session.lastSeq });
}

function readable(name) {
  const words = name.replace(/[-_.]+/g, " ").trim();
  return words.replace(/(^|\s)\p{L}/gu, (letter) => letter.toUpperCase());
}

for (const words of starters) {
  const button = el("button", { type: "button", class: "choice", dir: "auto", "data-testid": "starter" }, words);
  button.addEventListener("click", () => {
    composer.focus();
    sendText(words);
  });
  $("starters").append(button);
}
$("retry").addEventListener("click", () => {
  composer.focus();
  connection.restart();
});
$("save").addEventListener("click", saveConversation);
$("close").hidden = !host.embedded;
$("close").addEventListener("click", leave);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing) leave();
});
document.addEventListener("visibilitychange", markRead);
