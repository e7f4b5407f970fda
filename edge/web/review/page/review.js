// The review: who reviews, how far it is, and which of the two views is open. Everything shown is set as text.
import { OneView } from "./one.js";
import { Sender } from "./sender.js";
import { SheetView } from "./sheet.js";

export const $ = (id) => document.getElementById(id);
const LOOK_AGAIN_MS = 5000;
const ORDERS = ["risk", "field", "page"];

// What both views need: asking, saying, undoing.
class Desk {
  constructor(state) {
    this.state = state;
    this.name = localStorage.getItem("inkedge-name") || "";
    this.order = ORDERS.includes(localStorage.getItem("inkedge-order")) ? localStorage.getItem("inkedge-order") : "risk";
    this.paces = [];
    this.judgedHere = new Set();
    this.tokens = [];
    this.sender = new Sender(state.id, showSaved, (said, answer) => this.answered(said, answer));
  }

  async ask(path, query = {}) {
    const answer = await fetch(`${path}?${new URLSearchParams({ name: this.name, ...query })}`);
    if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).error || answer.statusText);
    return answer.json();
  }

  // body: what is said; keys: of the values that it judges; seconds: how long they were looked at.
  say(path, body, keys, seconds) {
    const token = newToken();
    this.tokens.push(token);
    keys.forEach((key) => this.judgedHere.add(key));
    this.paces.push(seconds / keys.length);
    this.paces.splice(0, this.paces.length - 40);
    this.state.left = Math.max(0, this.state.left - keys.length);
    this.state.judged += keys.length;
    this.sender.send(path, { name: this.name, token, took_s: seconds, ...body }, keys);
    this.show();
  }

  undo() {
    this.sender.send("/api/undo", { name: this.name, token: this.tokens.pop() ?? null });
  }

  answered(said, answer) {
    if (answer.error) return note(answer.error);
    if (said.path === "/api/undo") {
      if (!answer.length) note("There is nothing to undo");
      answer.forEach((value) => this.judgedHere.delete(keyOf(value)));
      view.undone(answer);
      return this.refresh();
    }
    for (const one of answer.refused || []) {
      note(`${one.field}: ${one.why}`, one.known && (() => this.lookAgain(one)));
    }
    view.saved?.(said);
  }

  async lookAgain(one) {
    const value = await this.ask("/api/value", { page: one.page, field: one.field });
    this.judgedHere.delete(keyOf(value));
    open(views.one);
    views.one.undone([value]);
  }

  async refresh() {
    try {
      const state = await this.ask("/api/state");
      if (!this.sender.waiting.length) Object.assign(this.state, state);
      this.show();
      view.refreshed?.();
    } catch { /* the sender says when the server is gone */ }
  }

  show() {
    const { left, judged, disputed, job } = this.state;
    $("job").textContent = job;
    document.title = `${left.toLocaleString()} left · ${job}`;
    $("bar").style.width = `${(100 * judged) / Math.max(1, left + judged)}%`;
    const parts = [`${left.toLocaleString()} left`, `${judged.toLocaleString()} done`];
    const pace = [...this.paces].sort((a, b) => a - b)[this.paces.length >> 1];
    if (pace && left && this.paces.length > 4) parts.push(`about ${duration(left * pace)}`);
    if (disputed) parts.push(`${disputed} disputed`);
    $("left").textContent = parts.join(" · ");
    $("who").textContent = this.name;
    $("error").value = this.state.error === null ? "" : String(this.state.error);
    $("order").value = this.order;
    views.sheet.showCounts();
  }

  setOrder(order) {
    this.order = order;
    localStorage.setItem("inkedge-order", order);
    $("order").value = order;
    views.one.restart();
  }
}

export const keyOf = (value) => `${value.page} ${value.field}`;
let desk, view;
const views = {};

function open(other) {
  view = other;
  for (const [name, one] of Object.entries(views)) {
    $(`tab-${name}`).setAttribute("aria-pressed", String(one === view));
    if (one !== view) one.hide();
  }
  view.show();
}

export function showDone(shown, text = "") {
  $("done").hidden = !shown;
  $("done-text").textContent = text;
}

// A line at the foot; act: what its button does.
export function note(text, act) {
  const line = document.createElement("div");
  const words = document.createElement("span");
  words.textContent = text;
  line.append(words);
  const button = document.createElement("button");
  button.textContent = act ? "Look again" : "Close";
  button.onclick = () => { line.remove(); act?.(); };
  line.append(button);
  $("notes").append(line);
  setTimeout(() => line.remove(), act ? 20000 : 6000);
}

function showSaved(waiting, late) {
  const place = $("saved");
  place.dataset.is = late ? "late" : "";
  place.textContent = late ? `${waiting} not saved yet: no answer, trying again` : waiting ? "saving…" : "saved";
}

function duration(seconds) {
  const minutes = Math.max(1, Math.round(seconds / 60));
  return minutes < 100 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

function newToken() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function askName() {
  return new Promise((named) => {
    const dialog = $("name-dialog");
    $("name").value = desk.name;
    dialog.addEventListener("close", () => {
      const name = $("name").value.replace(/\p{C}/gu, " ").trim().slice(0, 60);
      if (!name) return dialog.showModal();
      desk.name = name;
      localStorage.setItem("inkedge-name", name);
      desk.show();
      named();
    });
    dialog.showModal();
  });
}

function onKey(event) {
  if (document.querySelector("dialog[open]") || event.altKey || event.isComposing) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey || event.metaKey) {
    if (key !== "z") return;
  } else if (event.target.tagName === "SELECT" && key !== "z") return;
  const general = {
    z: () => desk.undo(),
    s: () => open(view === views.one ? views.sheet : views.one),
    o: () => desk.setOrder(ORDERS[(ORDERS.indexOf(desk.order) + 1) % ORDERS.length]),
    "?": () => $("help-dialog").showModal(),
  };
  if (general[key]) general[key]();
  else if (!view.key(key, event)) return;
  event.preventDefault();
}

async function begin() {
  const name = localStorage.getItem("inkedge-name");
  const state = await (await fetch(`/api/state?name=${encodeURIComponent(name || "nobody yet")}`)).json();
  desk = new Desk(state);
  views.one = new OneView(desk);
  views.sheet = new SheetView(desk);
  view = views.one;
  desk.show();
  if (!name) await askName();
  document.addEventListener("keydown", onKey);
  $("tab-one").onclick = () => open(views.one);
  $("tab-sheet").onclick = () => open(views.sheet);
  for (const id of ["undo", "undo-sheet", "undo-done"]) $(id).onclick = () => desk.undo();
  $("help").onclick = () => $("help-dialog").showModal();
  $("who").onclick = async () => { await askName(); view.restart(); };
  $("order").onchange = () => { desk.setOrder($("order").value); $("order").blur(); };
  $("error").onchange = async () => {
    const error = $("error").value === "" ? null : Number($("error").value);
    await fetch("/api/error", { method: "POST", body: JSON.stringify({ error }) });
    await desk.refresh();
    $("error").blur();
    views.one.restart();
  };
  setInterval(() => desk.refresh(), LOOK_AGAIN_MS);
  window.addEventListener("beforeunload", (event) => { if (desk.sender.waiting.length) event.preventDefault(); });
  open(views.one);
}

begin();
