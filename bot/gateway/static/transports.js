/** Three ways to carry the same frames: a WebSocket, server-sent events, and asking for them now and then. */

const SILENCE_LIMIT_MS = 65000;
const FIRST_BYTES_MS = 6000; // the server sends a comment at once: a stream without one is held back on its way
const POLL_MS = 2500;
const LONGEST_POLL_MS = 15000;
const POLLS_WHILE_ACTIVE = 24;
const SLOWER_BY = 1.25;
const POLL_TIMEOUT_MS = 20000;
const ANSWER_EXPECTED_MS = 700;
const QUICK_POLLS = 4;
const FULL_PAGE = 200;
const FIRST_TRIAL_MS = 60000;
const LONGEST_TRIAL_MS = 600000;
const OWN_REFUSALS = [401, 429, 503]; // the server's, and no sign that streams are blocked

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

/** Whether a WebSocket carries frames now, not only opens. The server answers what comes before hello with an error. */
export function probeSocket(onAnswer) {
  const socket = new WebSocket(socketUrl());
  socket.onopen = () => socket.send(JSON.stringify({ type: "typing" }));
  socket.onmessage = () => {
    socket.close(1000);
    onAnswer();
  };
  return () => socket.close();
}

/** How long to wait after so many questions in a row that brought nothing: with jitter, and long where nobody looks. */
export function pollDelay(quietPolls, hidden, random = Math.random) {
  const slower = SLOWER_BY ** Math.max(0, quietPolls - POLLS_WHILE_ACTIVE);
  return (hidden ? LONGEST_POLL_MS : Math.min(LONGEST_POLL_MS, POLL_MS * slower)) * (0.8 + 0.4 * random());
}

/**
 * The same over HTTP: frames go by POST, and come back as the answer, as server-sent events, or, where a proxy holds those
 * back (at once with `polls`), by asking for them now and then. `onPolling` is told which of the two it is.
 */
export function openHttp({ hello, polls, onFrame, onClose, onPolling }) {
  const abort = new AbortController();
  let token = hello.visitor_token;
  let done = false;
  let streaming = false;
  let lastSeq = hello.last_seq;
  let standing = "";
  let quietPolls = 0;
  let quickPolls = 0;
  let wake = () => {};
  let cutStream = () => {};

  const finish = () => {
    done = true;
    abort.abort();
    wake(0);
  };
  const fail = () => {
    if (done) return;
    finish();
    onClose();
  };
  const give = (frame) => {
    if (!frame || done) return;
    if (frame.type === "message") lastSeq = Math.max(lastSeq, frame.seq);
    if (frame.type === "ready" || frame.type === "owner") {
      // Who speaks is in every answer to a question, and news only when it changes.
      const before = standing;
      standing = `${frame.owner} ${frame.position ?? null}`;
      if (frame.type === "owner" && standing === before) return;
    }
    onFrame(frame);
  };

  async function post(frame) {
    const answer = await answerOf("/chat/messages", { method: "POST", body: JSON.stringify(frame) });
    if (typeof answer?.type !== "string") throw new Error("not a frame"); // a proxy's own answer
    return answer;
  }

  async function answerOf(url, options) {
    const headers = { "Content-Type": "application/json", ...authorization(token) };
    const response = await fetch(url, { ...options, headers, signal: abort.signal });
    if (response.status >= 500) throw new Error(`HTTP ${response.status}`);
    return response.json();
  }

  async function run() {
    const answer = await post(hello);
    if (answer.type === "ready") {
      token = answer.visitor_token;
      if (lastSeq > answer.seq) lastSeq = 0; // it was another conversation's
    }
    give(answer);
    if (done || answer.type !== "ready") return fail();
    if (!polls && (await listen())) return fail(); // the server ended the stream: connect again
    if (!done) await poll();
  }

  /** Read the event stream until it ends; false if nothing came by it. (EventSource cannot send the token.) */
  async function listen() {
    const cut = new AbortController();
    const stop = () => cut.abort();
    let carried = false;
    abort.signal.addEventListener("abort", stop);
    cutStream = () => {
      carried = false;
      stop();
    };
    let timer = setTimeout(stop, FIRST_BYTES_MS);
    try {
      const headers = { Accept: "text/event-stream", ...authorization(token) };
      const response = await fetch(`/chat/events?after=${lastSeq}`, { headers, signal: cut.signal });
      if (OWN_REFUSALS.includes(response.status)) return true;
      if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) return false;
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let buffer = "";
      for (;;) {
        const { value, done: ended } = await reader.read();
        if (ended) return carried;
        if (!carried) onPolling(false);
        carried = streaming = true;
        clearTimeout(timer);
        // A stream that went silent without closing (a sleeping proxy) would otherwise look healthy for ever.
        timer = setTimeout(stop, SILENCE_LIMIT_MS);
        const events = (buffer + value).replaceAll("\r\n", "\n").split("\n\n");
        buffer = events.pop();
        for (const event of events) give(parse(eventData(event)));
      }
    } catch {
      return carried;
    } finally {
      streaming = false;
      clearTimeout(timer);
      abort.signal.removeEventListener("abort", stop);
    }
  }

  /** Ask for what is new, again and again; now and then, see whether a stream would come through. */
  async function poll() {
    onPolling(true);
    const attention = ({ type }) => {
      if (document.hidden || (type !== "visibilitychange" && quietPolls <= POLLS_WHILE_ACTIVE)) return;
      quietPolls = 0;
      wake(0);
    };
    for (const sign of ["keydown", "pointerdown", "visibilitychange"]) {
      document.addEventListener(sign, attention, { signal: abort.signal });
    }
    let trialPause = FIRST_TRIAL_MS;
    let trialAt = Date.now() + trialPause;
    let trial;
    while (!done) {
      const stuck = setTimeout(fail, POLL_TIMEOUT_MS);
      const answer = await answerOf(`/chat/messages?after=${lastSeq}`).finally(() => clearTimeout(stuck));
      if (answer.code === "rate_limited") quietPolls = Infinity;
      else if (!Array.isArray(answer.frames)) return fail();
      const before = lastSeq;
      answer.frames?.forEach(give);
      quietPolls = lastSeq > before ? 0 : quietPolls + 1;
      if (lastSeq - before < FULL_PAGE) {
        quickPolls = Math.max(0, quickPolls - 1);
        await pause(quickPolls ? ANSWER_EXPECTED_MS : pollDelay(quietPolls, document.hidden));
      }
      if (streaming) {
        if (await trial) return fail();
        onPolling(true);
      }
      if (!done && !document.hidden && Date.now() > trialAt) {
        trialPause = Math.min(LONGEST_TRIAL_MS, trialPause * 2);
        trialAt = Date.now() + trialPause;
        trial = listen();
      }
    }
  }

  function pause(milliseconds) {
    return new Promise((resolve) => {
      let timer = setTimeout(resolve, milliseconds);
      wake = (sooner) => {
        clearTimeout(timer);
        timer = setTimeout(resolve, sooner);
      };
    });
  }

  run().catch(fail);
  return {
    live: false,
    send: (frame) =>
      post(frame).then((answer) => {
        quietPolls = 0;
        quickPolls = QUICK_POLLS;
        wake(ANSWER_EXPECTED_MS);
        give(answer);
        // The stream brings every message back, the customer's own as well; one that does not is held back on its way.
        if (streaming && answer.seq > lastSeq) setTimeout(() => streaming && answer.seq > lastSeq && cutStream(), FIRST_BYTES_MS);
      }, fail),
    close: finish,
  };
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
