/** The demo shop's page: opening hours, "try it as", and questions to try; all of it does without the server's help. */

import { el } from "./dom.js";

const PERSONA_KEY = "kasuki-demo:persona";
const PEOPLE = [
  { name: "Maria Santos", email: "maria@example.com", about: "A regular with points, and an order on its way." },
  { name: "John Reyes", email: "john@example.com", about: "Has an order that can be returned." },
  { name: "Aiko Tanaka", email: "aiko@example.com", about: "New here, no orders yet." },
];
const VISITOR = { name: "Visitor", email: "", about: "Nobody knows you yet." };

const $ = (id) => document.getElementById(id);
const chat = (...call) => (window.Kasuki ??= []).push(call);

let people = [VISITOR, ...PEOPLE];
let asked = 0; // only the latest press of "try it as" counts

function remembered() {
  try {
    return localStorage.getItem(PERSONA_KEY) ?? "";
  } catch {
    return "";
  }
}

function remember(email) {
  try {
    localStorage.setItem(PERSONA_KEY, email);
  } catch { /* storage is blocked: the choice lasts for this page */ }
}

/** Fill in what the shop's server knows, or say where else to ask. */
async function loadShop() {
  try {
    const response = await fetch("/demo/info");
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const { shop, people: known } = await response.json();
    if (known?.length) people = [VISITOR, ...known];
    showHours(shop?.hours ?? []);
  } catch {
    showHours([]);
  }
  drawPersonas();
}

function showHours(hours) {
  if (!hours.length) return $("hours").replaceChildren(el("dt", {}, "Ask us in the chat."));
  $("hours").replaceChildren(...hours.flatMap(({ days, hours: open }) => [el("dt", {}, days), el("dd", {}, open)]));
}

function drawPersonas() {
  $("personas").replaceChildren(
    ...people.map((person) => {
      const button = el("button", { type: "button", "data-email": person.email }, person.name.split(" ")[0]);
      button.addEventListener("click", () => become(person));
      return button;
    }),
  );
  showPersona(people.find(({ email }) => email === remembered()) ?? VISITOR);
}

function showPersona({ name, email, about }) {
  for (const button of $("personas").children) button.setAttribute("aria-pressed", String(button.dataset.email === email));
  $("persona-about").textContent = email ? `${name} (${email}): ${about ?? ""}` : about;
}

/** Sign the chat in as one of the demo's people, or out again. */
async function become(person) {
  const turn = (asked += 1);
  if (!person.email) {
    chat("logout");
  } else {
    const token = await tokenFor(person.email);
    if (turn !== asked) return;
    if (!token) {
      $("persona-about").textContent = "Signing in does not work at the moment. Please try again.";
      return;
    }
    chat("identify", token);
  }
  remember(person.email);
  showPersona(person);
}

async function tokenFor(email) {
  try {
    const response = await fetch("/demo/identity", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ email }),
    });
    return response.ok ? (await response.json()).token : null;
  } catch {
    return null;
  }
}

/** A token lasts an hour at most: bring the signed-in person a fresh one. */
async function signInAgain() {
  const email = remembered();
  const token = email && (await tokenFor(email));
  if (token) chat("identify", token);
}

for (const button of document.querySelectorAll("[data-ask]")) {
  button.addEventListener("click", () => chat("open", button.dataset.ask));
}
window.addEventListener("kasuki:identity-expired", signInAgain);
drawPersonas();
loadShop();
signInAgain();
