/** The panel in the shop's colours, light or dark, and the assistant's picture. */

import { config } from "./config.js";
import { el } from "./dom.js";

const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const sheet = new CSSStyleSheet();
sheet.replaceSync(
  Object.entries(config.colours)
    .map(([theme, colours]) => `:root[data-theme="${theme}"]{${Object.entries(colours).map((pair) => pair.join(":")).join(";")}}`)
    .join(""),
);
document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];

// The page that embeds the panel knows its own theme; where there is none, the shop's decision counts.
let wanted = new URLSearchParams(location.search).get("theme") ?? config.theme;
prefersDark.addEventListener("change", draw);
draw();

/** Change to "light", "dark" or "auto": as the device is set. */
export function setTheme(theme) {
  wanted = theme;
  draw();
}

function draw() {
  const isDark = wanted === "auto" ? prefersDark.matches : wanted === "dark";
  document.documentElement.dataset.theme = isDark ? "dark" : "light";
}

/** Show the assistant's picture, or the shop's initial where it has none or it does not come. */
export function drawAvatar(place, shop) {
  const initial = [...shop][0]?.toUpperCase() ?? "";
  if (!config.avatar) place.textContent = initial;
  else if (!place.firstChild) {
    const picture = el("img", { src: config.avatar, alt: "" });
    picture.addEventListener("error", () => place.replaceChildren(initial));
    place.append(picture);
  }
}
