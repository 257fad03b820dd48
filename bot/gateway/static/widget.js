/*
 * The embed script: a launcher button on the shop's page, and the chat panel behind it.
 *
 *   <script async src="https://HOST/widget.js" data-site="SITE"></script>
 *
 * Optional: data-identity-token="JWT", data-lang="es", data-theme="dark" (or light, auto; may change at any time). The page can call Kasuki("open", draft?), ("close"), ("identify", token),
 * ("logout"), ("on", event, listener) and ("shutdown"), or the same as methods: Kasuki.open(draft?). Calls made before
 * this script has loaded wait, if the page begins with
 *   window.Kasuki = window.Kasuki || function () { (Kasuki.q = Kasuki.q || []).push(arguments); };
 * or queues them itself: (window.Kasuki = window.Kasuki || []).push(["identify", token]).
 * When a sign-in has run out the window gets a "kasuki:identity-expired" event; answer it with identify(freshToken).
 *
 * The shop's page may forbid inline styles, so everything is styled by one constructed sheet in a shadow root.
 */
(() => {
  "use strict";

  const script = document.currentScript ?? document.querySelector('script[data-site][src*="/widget.js"]');
  if (!script || window.Kasuki?.open) return; // a page that embeds the script twice still gets one launcher
  const queued = Array.isArray(window.Kasuki) ? window.Kasuki : window.Kasuki?.q ?? [];

  const LOOK = {};
  const ORIGIN = new URL(script.src).origin;
  const SITE = script.dataset.site || "default";
  const LANGUAGE = language();
  const TEXTS = LOOK.texts[LANGUAGE];
  const LOAD_TIMEOUT_MS = 12000;
  const SIGNED_OUT_KEY = "kasuki:signed-out";

  const CSS = `
    :host { all: initial !important; }
    * { box-sizing: border-box; }
    .look { --paper: #fff; --ink: #1c2321; --ring: #fff; font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; color: var(--ink); }
    .dark { --paper: #161a19; --ink: #e8edea; --ring: #ffffff59; }
    .launcher, .panel { position: fixed; z-index: 2147483000; inset-inline-end: 20px; }
    .left .launcher, .left .panel { inset-inline: 20px auto; }
    .launcher { bottom: 20px; width: 60px; height: 60px; padding: 15px; border: 0; border-radius: 50%; cursor: pointer;
      color: #fff; background: var(--brand); box-shadow: 0 0 0 2px var(--ring), 0 2px 6px #14181638, 0 10px 28px #1418163d;
      transition: background-color .15s, transform .15s; }
    .launcher:hover { background: var(--brand-hover); transform: scale(1.05); }
    .launcher:active { transform: scale(.97); }
    button:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
    .launcher:focus-visible { box-shadow: 0 0 0 3px var(--paper); }
    svg { display: block; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
    .badge { position: absolute; top: -4px; inset-inline-end: -4px; min-width: 24px; padding: 0 6px; border: 2px solid #fff;
      border-radius: 12px; font: 700 13px/20px system-ui, sans-serif; text-align: center; color: #fff; background: #b3261e; }
    .panel { bottom: 96px; width: 400px; height: min(680px, calc(100vh - 116px)); height: min(680px, calc(100dvh - 116px));
      overflow: hidden; border-radius: 20px; background: var(--paper);
      box-shadow: 0 0 0 1px #14181614, 0 18px 60px #14181647; transform-origin: bottom right;
      visibility: hidden; opacity: 0; transform: translateY(8px) scale(.97); transition: opacity .16s, transform .16s, visibility 0s .16s; }
    .dark .panel { box-shadow: 0 0 0 1px #ffffff24, 0 18px 60px #0009; }
    .left .panel, [dir=rtl] .panel { transform-origin: bottom left; }
    .left[dir=rtl] .panel { transform-origin: bottom right; }
    .open .panel { visibility: visible; opacity: 1; transform: none; transition-delay: 0s; }
    iframe { display: block; width: 100%; height: 100%; border: 0; opacity: 0; }
    .loaded iframe { opacity: 1; }
    .wait { position: absolute; z-index: 1; inset: 0; display: grid; place-content: center; justify-items: center; gap: 14px; padding: 24px; text-align: center; background: var(--paper); }
    .loaded .wait { display: none; }
    .wait p { margin: 0; max-width: 32ch; }
    .wait button { padding: 9px 18px; border: 1.5px solid; border-radius: 22px; font: inherit; font-weight: 600; color: var(--accent); background: none; cursor: pointer; }
    .wait .quiet { border-color: transparent; }
    .spinner { width: 30px; height: 30px; border: 3px solid var(--tint); border-top-color: var(--accent); border-radius: 50%; animation: turn .9s linear infinite; }
    [hidden] { display: none !important; }
    @keyframes turn { to { transform: rotate(1turn); } }
    @media (max-width: 520px), (max-height: 460px) {
      .look .panel { inset: var(--top, 0) 0 auto; width: 100%; height: var(--height, 100dvh); border-radius: 0; }
      .open .launcher { visibility: hidden; }
    }
    @media (prefers-reduced-motion: reduce) { .launcher, .panel { transition: none; } .launcher:hover { transform: none; } .spinner { animation: none; } }
    @media (forced-colors: active) { .launcher, .panel, .wait .quiet { border: 1px solid; } }
    @media print { .look { display: none; } }`;

  /** The script tag's language, else the shop's, else (with "auto") the browser's; one that there is no file for counts not. */
  function language() {
    for (const wanted of [script.dataset.lang, LOOK.language, ...(LOOK.language === "auto" ? navigator.languages : [])]) {
      const base = wanted?.split("-")[0].replace(/^tl$/, "fil"); // the older code of Filipino
      const found = [wanted, base].find((code) => Object.hasOwn(LOOK.texts, code));
      if (found) return found;
    }
    return "en";
  }

  let host, root, wrap, launcher, badge, panel, iframe, wait, loadTimer;
  let opened = false;
  let frameReady = false;
  let unread = 0;
  let draft = "";
  let token = script.dataset.identityToken || null;
  let signedOut = false;

  /** An element with attributes and children; no innerHTML, so pages that enforce Trusted Types work too. */
  function el(name, attributes = {}, ...children) {
    const svg = name === "svg" || name === "path";
    const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  const icon = () => el("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, el("path"));
  const BUBBLE = "M21 12a8 8 0 0 1-8 8H4l1.6-3.2A8 8 0 0 1 11 4h2a8 8 0 0 1 8 8ZM8.5 12h.01M12 12h.01M15.5 12h.01";
  const CHEVRON = "M5 9l7 7 7-7";

  /** Put the launcher on the page; nothing else is loaded until it is used. */
  function mount() {
    host = el("div", { id: "kasuki-chat" });
    root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    root.adoptedStyleSheets = [sheet];
    badge = el("span", { class: "badge", "aria-hidden": "true", hidden: "" });
    launcher = el("button", { type: "button", class: "launcher", "data-testid": "kasuki-launcher" }, icon(), badge);
    launcher.addEventListener("click", () => (opened ? close() : open()));
    wrap = el("div", { lang: LANGUAGE, dir: TEXTS.rtl ? "rtl" : "ltr" }, launcher);
    root.append(wrap);
    root.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && opened) close();
    });
    window.addEventListener("message", receive);
    document.body.append(host);
    prefersDark.addEventListener("change", paint);
    themes.observe(script, { attributes: true });
    paint();
  }

  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const themes = new MutationObserver(paint);

  /** The script tag's theme, else the shop's; with "auto" that of the visitor's device. */
  function theme() {
    const wanted = [script.dataset.theme, LOOK.theme].find((name) => name === "auto" || name in LOOK.colours);
    return wanted === "auto" ? (prefersDark.matches ? "dark" : "light") : wanted;
  }

  /** Bring the theme's colours up; the panel is told, for what its own page finds out is not always the truth. */
  function paint() {
    for (const [name, colour] of Object.entries(LOOK.colours[theme()])) wrap.style.setProperty(name, colour);
    wrap.style.colorScheme = theme();
    tell("theme", { theme: theme() });
    label();
  }

  /** The launcher's name and picture follow what a press will do. */
  function label() {
    launcher.setAttribute("aria-label", opened ? TEXTS.close : unread ? news() : TEXTS.open);
    launcher.querySelector("path").setAttribute("d", opened ? CHEVRON : BUBBLE);
    badge.hidden = opened || !unread;
    badge.textContent = unread > 9 ? "9+" : String(unread);
    wrap.className = `look ${theme()} ${LOOK.position} ${opened ? "open" : ""} ${frameReady ? "loaded" : ""}`;
  }

  const news = () => (TEXTS.news[new Intl.PluralRules(LANGUAGE).select(unread)] ?? TEXTS.news.other)
    .replace("{count}", unread.toLocaleString(LANGUAGE));

  /** Build the panel at the first opening. */
  function createPanel() {
    const query = new URLSearchParams({ site: SITE, host: location.origin, lang: LANGUAGE, theme: theme() });
    iframe = el("iframe", {
      title: TEXTS.title, src: `${ORIGIN}/chat/frame?${query}`, "data-testid": "kasuki-frame", referrerpolicy: "origin",
    });
    wait = el("div", { class: "wait", role: "status" });
    panel = el("div", { class: "panel", "data-testid": "kasuki-panel" }, wait, iframe);
    wrap.prepend(panel);
    awaitFrame();
    if (window.visualViewport) {
      // On a phone the on-screen keyboard covers a fixed panel unless the panel follows the visible part of the page.
      const fit = () => {
        panel.style.setProperty("--height", `${visualViewport.height}px`);
        panel.style.setProperty("--top", `${visualViewport.offsetTop}px`);
      };
      visualViewport.addEventListener("resize", fit);
      visualViewport.addEventListener("scroll", fit);
      fit();
    }
  }

  /** Show that the panel is loading, and say so if it does not arrive: an empty box would look broken. */
  function awaitFrame() {
    wait.replaceChildren(el("div", { class: "spinner" }), el("p", {}, TEXTS.loading));
    clearTimeout(loadTimer);
    loadTimer = setTimeout(() => {
      const again = el("button", { type: "button" }, TEXTS.again);
      again.addEventListener("click", () => {
        awaitFrame();
        iframe.src = `${iframe.src}`;
      });
      const leave = el("button", { type: "button", class: "quiet" }, TEXTS.leave);
      leave.addEventListener("click", close);
      wait.replaceChildren(el("p", {}, TEXTS.failed), again, leave);
    }, LOAD_TIMEOUT_MS);
  }

  function tell(type, data = {}) {
    if (frameReady) iframe.contentWindow.postMessage({ source: "kasuki", type, ...data }, ORIGIN);
  }

  /** Only our own frame, from our own origin, is listened to. */
  function receive(event) {
    if (event.origin !== ORIGIN || !iframe || event.source !== iframe.contentWindow || event.data?.source !== "kasuki") return;
    const { type } = event.data;
    if (type === "ready") {
      frameReady = true;
      clearTimeout(loadTimer);
      tell("theme", { theme: theme() }); // it may have changed while the panel was loading
      tell("init", { token, signed_out: signedOut || takeSignedOutMark() });
      signedOut = false;
      if (opened) showFrame();
      label();
    } else if (type === "close") {
      close();
    } else if (type === "unread") {
      unread = Number(event.data.count) || 0;
      label();
      report("unread", { count: unread });
    } else if (type === "message") {
      const { author, name, text } = event.data;
      report("message", { author, name, text });
    } else if (type === "identity-expired") {
      token = null;
      window.dispatchEvent(new CustomEvent("kasuki:identity-expired"));
      report("identity-expired", {});
    }
  }

  const listeners = { message: new Set(), unread: new Set(), open: new Set(), close: new Set(), "identity-expired": new Set() };

  /** Have a function called with what happens: a message that came in, unread messages, opening and closing. */
  function on(name, listener) {
    if (typeof listener === "function") listeners[name]?.add(listener);
    return () => listeners[name]?.delete(listener);
  }

  /** A listener of the page's that fails must not stop the chat. */
  function report(name, data) {
    for (const listener of listeners[name]) {
      try {
        listener(data);
      } catch (error) {
        console.warn("Kasuki: a listener failed", error);
      }
    }
  }

  /** Take the chat off the page. The conversation stays, and open() brings the chat back. */
  function shutdown() {
    if (!host) return;
    clearTimeout(loadTimer);
    window.removeEventListener("message", receive);
    prefersDark.removeEventListener("change", paint);
    themes.disconnect();
    host.remove();
    host = iframe = panel = null;
    opened = frameReady = false;
    unread = 0;
  }

  function showFrame() {
    iframe.focus();
    tell("open", { draft });
    draft = "";
  }

  /** Open the panel; a draft is put in the message box, not sent. */
  function open(text) {
    if (typeof text === "string") draft = text;
    if (!host) mount();
    if (!iframe) createPanel();
    const isNews = !opened;
    opened = true;
    label();
    if (frameReady) showFrame();
    if (isNews) report("open", {});
  }

  function close() {
    if (!opened) return;
    // Read before the panel hides: give focus back only if the panel had it.
    const hadFocus = panel.contains(root.activeElement);
    opened = false;
    label();
    tell("close");
    if (hadFocus) launcher.focus();
    report("close", {});
  }

  /** Say who is signed in, with a short-lived token from the shop's server. */
  function identify(newToken) {
    token = newToken || null;
    if (token) tell("identify", { token });
  }

  /** Forget the customer. The panel may not be loaded, so a mark makes the next page's panel forget as well. */
  function logout() {
    token = null;
    if (frameReady) return tell("logout");
    signedOut = true;
    try {
      localStorage.setItem(SIGNED_OUT_KEY, "1");
    } catch { /* storage is blocked: the mark lives as long as this page */ }
  }

  function takeSignedOutMark() {
    try {
      const mark = localStorage.getItem(SIGNED_OUT_KEY) !== null;
      localStorage.removeItem(SIGNED_OUT_KEY);
      return mark;
    } catch {
      return false;
    }
  }

  const api = { open, close, identify, logout, on, shutdown };
  const call = (name, ...values) => (Object.hasOwn(api, name) ? api[name](...values) : undefined);
  const run = (one) => (typeof one === "string" ? call(one) : call(...one));

  function start() {
    mount();
    window.Kasuki = Object.assign(call, api, { push: run });
    Array.from(queued).forEach(run);
  }

  if (document.body) start();
  else document.addEventListener("DOMContentLoaded", start);
})();
