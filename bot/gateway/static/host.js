/** The line between the panel and the page that embeds it, in both directions only with the origin that it was opened for. */

const WAIT_FOR_HOST_MS = 1500;

/**
 * `handlers` are called by message type: init, identify, logout, open, close, theme. When the panel is not embedded, or its page
 * stays silent, init is called with nothing.
 */
export function connectHost(claimedOrigin, handlers) {
  const embedded = window.parent !== window;
  const origin = embedded ? hostOrigin(claimedOrigin) : null;
  let started = false;

  const start = (data) => {
    if (started) return;
    started = true;
    handlers.init(data);
  };
  const tell = (type, data = {}) => {
    if (origin) window.parent.postMessage({ source: "kasuki", type, ...data }, origin);
  };

  if (!origin) {
    queueMicrotask(() => start({}));
    return { embedded: false, tell };
  }

  window.addEventListener("message", (event) => {
    if (event.source !== window.parent || event.origin !== origin || event.data?.source !== "kasuki") return;
    const { type } = event.data;
    if (type === "init") start(event.data);
    else if (["identify", "logout", "open", "close", "theme"].includes(type)) handlers[type](event.data);
  });
  setTimeout(() => start({}), WAIT_FOR_HOST_MS);
  tell("ready");
  return { embedded: true, tell };
}

/** The claimed origin if it is a web origin and, where the browser tells, the one that really embeds us. */
function hostOrigin(claimed) {
  const actual = location.ancestorOrigins?.[0];
  try {
    const { origin } = new URL(claimed);
    const isWeb = origin.startsWith("https://") || origin.startsWith("http://");
    return isWeb && (actual === undefined || actual === origin) ? origin : null;
  } catch {
    return null;
  }
}

/** Whose token this is, to notice a change of customer. Not a check: only the server can trust a token. */
export function subjectOf(token) {
  try {
    const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    return String(JSON.parse(atob(payload)).sub);
  } catch {
    return null;
  }
}
