/** Two ways to carry the same frames: a WebSocket, and HTTP for networks that block sockets. */

const SILENCE_LIMIT_MS = 65000;

/**
 * Open a WebSocket and say hello. `onFrame` gets every frame; `onClose` is called once, unless close() was.
 * Returns {send, close, live}.
 */
export function openSocket({ hello, onFrame, onClose }) {
  const socket = new WebSocket(socketUrl());
  let closed = false;
  socket.onopen = () => socket.send(JSON.stringify(hello));
  socket.onmessage = (event) => {
    const frame = parse(event.data);
    if (frame && !closed) onFrame(frame);
  };
  socket.onclose = () => {
    if (!closed) onClose();
    closed = true;
  };
  return {
    live: true,
    send: (frame) => socket.send(JSON.stringify(frame)),
    close() {
      closed = true;
      socket.close(1000);
    },
  };
}

/** Whether a WebSocket can be opened now; sends nothing. */
export function probeSocket(onOpen) {
  const socket = new WebSocket(socketUrl());
  socket.onopen = () => {
    socket.close(1000);
    onOpen();
  };
  return () => socket.close();
}

/** The same over HTTP: frames go by POST, and come back as the answer or as server-sent events. */
export function openStream({ hello, onFrame, onClose }) {
  const abort = new AbortController();
  let token = hello.visitor_token;
  let done = false;

  const fail = () => {
    if (!done) onClose();
    done = true;
    abort.abort();
  };
  const give = (frame) => {
    if (frame && !done) onFrame(frame);
  };

  async function post(frame) {
    const response = await fetch("/chat/messages", {
      method: "POST",
      headers: { "Content-Type": "application/json", ...authorization(token) },
      body: JSON.stringify(frame),
      signal: abort.signal,
    });
    if (response.status >= 500) throw new Error(`HTTP ${response.status}`);
    const answer = await response.json();
    if (typeof answer?.type !== "string") throw new Error("not a frame"); // a proxy's own answer
    return answer;
  }

  async function run() {
    const answer = await post(hello);
    if (answer.type === "ready") token = answer.visitor_token;
    give(answer);
    if (done || answer.type !== "ready") return fail();
    await listen(`/chat/events?after=${hello.last_seq}`, token, abort, give);
    fail(); // the server ended the stream: connect again
  }

  run().catch(fail);
  return {
    live: false,
    send: (frame) => post(frame).then(give, fail),
    close() {
      done = true;
      abort.abort();
    },
  };
}

/** Read a server-sent event stream until it ends. EventSource cannot send the Authorization header. */
async function listen(url, token, abort, give) {
  const response = await fetch(url, { headers: { Accept: "text/event-stream", ...authorization(token) }, signal: abort.signal });
  if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    // A stream that went silent without closing (a sleeping proxy) would otherwise look healthy for ever.
    const timer = setTimeout(() => abort.abort(), SILENCE_LIMIT_MS);
    const { value, done } = await reader.read().finally(() => clearTimeout(timer));
    if (done) return;
    const events = (buffer + value).replaceAll("\r\n", "\n").split("\n\n");
    buffer = events.pop();
    for (const event of events) give(parse(eventData(event)));
  }
}

function eventData(event) {
  return event.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trimStart()).join("\n");
}

function parse(text) {
  try {
    const frame = JSON.parse(text);
    return typeof frame?.type === "string" ? frame : null;
  } catch {
    return null; // a keep-alive comment, or not ours
  }
}

function authorization(token) {
  return token ? { Authorization: `Bearer ${token}` } : {};
}

function socketUrl() {
  return `${location.origin.replace(/^http/, "ws")}/chat/ws`;
}
