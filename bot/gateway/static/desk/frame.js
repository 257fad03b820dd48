/** Around everything: the pages, whether one takes conversations, sound and notifications, and the way out. */

import { el, spoken } from "../dom.js";
import { icon } from "./icons.js";
import { button, iconButton, said, toast } from "./widgets.js";
import { initials, words } from "./words.js";

const $ = (id) => document.getElementById(id);
const PAGES = [
  { name: "", label: "Conversations" },
  { name: "canned", label: "Canned replies" },
  { name: "teaching", label: "Teaching", admin: true },
  { name: "reports", label: "Reports" },
  { name: "agents", label: "Agents", admin: true },
];
const CONNECTING_NOTICE_AFTER_MS = 1000;

export class Frame {
  #notifier;
  #on;
  #timer;

  /** `on` has help(), password(), signOut() and presence(status). */
  constructor({ notifier, on }) {
    this.#notifier = notifier;
    this.#on = on;
    $("back").append(icon("back"));
    $("panel-toggle").append(icon("person"));
    document.addEventListener("pointerdown", (event) => {
      for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
    });
  }

  show(agent) {
    const pages = PAGES.filter(({ admin }) => !admin || agent.role === "admin");
    $("nav").replaceChildren(...pages.map(({ name, label }) => el("a", { href: `#/${name}`, "data-page": name, "data-testid": `nav-${name || "conversations"}` }, label)));
    $("tools").replaceChildren(this.#presence(), this.#sound(), this.#notifications(), iconButton("help", "Shortcuts (?)", () => this.#on.help(), { test: "open-help" }), this.#me(agent));
    this.drawPresence(agent.presence);
  }

  mark(page) {
    for (const link of $("nav").children) {
      if (link.dataset.page === page) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  drawPresence(status) {
    const node = $("presence");
    node.dataset.status = status;
    node.setAttribute("aria-checked", String(status === "online"));
    node.querySelector(".presence-text").textContent = status === "online" ? "Online" : "Away";
    node.title = status === "online" ? "You get new conversations. Click to be away." : "You get no new conversations. Click to be online.";
  }

  /** The strip that says that the link is lost. */
  showLink(state) {
    clearTimeout(this.#timer);
    const strip = $("strip");
    const say = (text) => {
      strip.querySelector(".strip-text").textContent = text;
      strip.hidden = false;
    };
    if (state === "connecting") {
      // A link that is there within a second needs no words; an attempt while offline keeps the words of before.
      if (strip.hidden) this.#timer = setTimeout(() => say(words.connection.connecting), CONNECTING_NOTICE_AFTER_MS);
    } else if (state === "offline") say(words.connection.offline);
    else strip.hidden = true;
  }

  #presence() {
    const node = el("button", { type: "button", id: "presence", class: "presence", role: "switch", "aria-label": "Taking conversations", "data-testid": "presence" });
    node.append(el("span", { class: "dot", "aria-hidden": "true" }), el("span", { class: "presence-text" }));
    node.addEventListener("click", () => this.#on.presence(node.dataset.status === "online" ? "away" : "online"));
    return node;
  }

  #sound() {
    const node = iconButton("mute", "Sound for new work", () => {
      this.#notifier.setSound(!this.#notifier.hasSound);
      draw();
    }, { test: "sound" });
    const draw = () => {
      node.replaceChildren(icon(this.#notifier.hasSound ? "sound" : "mute"));
      node.setAttribute("aria-pressed", String(this.#notifier.hasSound));
    };
    draw();
    return node;
  }

  #notifications() {
    const node = iconButton("bell", "Notifications on the desktop", async () => {
      const on = await this.#notifier.setNotifications(!this.#notifier.notifies);
      if (!on && this.#notifier.isBlocked) toast("Your browser blocks notifications from this page. You can allow them in its settings.", { kind: "bad" });
      else toast(on ? "You are notified of new work while another window is in front." : "No notifications any more.");
      draw();
    }, { test: "notifications" });
    const draw = () => node.setAttribute("aria-pressed", String(this.#notifier.notifies));
    node.hidden = !this.#notifier.canNotify;
    draw();
    return node;
  }

  #me(agent) {
    const open = el("summary", { class: "me", "data-testid": "me" }, el("span", { class: "avatar small", "aria-hidden": "true" }, initials(agent.name)), spoken("Signed in as "), said(agent.name, { class: "me-name" }));
    const menu = el("details", { class: "menu" }, open, el("div", { class: "menu-list" }, el("p", { class: "quiet" }, said(agent.email)), button("Change password", () => this.#on.password(), { test: "change-password" }), button("Sign out", () => this.#on.signOut(), { test: "sign-out" })));
    menu.addEventListener("click", (event) => event.target.closest("button") && menu.removeAttribute("open"));
    menu.addEventListener("keydown", (event) => event.key === "Escape" && ((menu.open = false), open.focus()));
    return menu;
  }
}
