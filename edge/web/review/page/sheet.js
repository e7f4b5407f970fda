// All alike: digits that were read as the same, least sure first; what is odd is clicked, the rest is accepted at once.
import { $, keyOf, showDone } from "./review.js";

const A_SHEET = 60;
const TEXTS = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", ""];

export class SheetView {
  constructor(desk) {
    this.desk = desk;
    this.text = null;
    this.found = [];
    this.tiles = [];
    this.judged = new Set();  // by sheets, the odd ones too
    this.chosen = 0;
    this.buttons = TEXTS.map((text) => {
      const button = document.createElement("button");
      const digit = document.createElement("b"), count = document.createElement("small");
      digit.textContent = text || "nothing";
      button.append(digit, count);
      button.onclick = () => this.choose(text);
      return button;
    });
    $("digits").replaceChildren(...this.buttons);
    $("accept-sheet").onclick = () => this.accept();
  }

  show() {
    showDone(false);
    $("sheet").hidden = false;
    const counts = this.desk.state.alike;
    this.choose(this.text ?? TEXTS.reduce((most, text) => ((counts[text] || 0) > (counts[most] || 0) ? text : most), "7"));
  }

  hide() { $("sheet").hidden = true; }

  restart() { this.choose(this.text); }

  undone() { this.judged.clear(); this.choose(this.text); }

  showCounts() {
    this.buttons.forEach((button, i) => {
      const count = this.desk.state.alike[TEXTS[i]] || 0;
      button.lastChild.textContent = count.toLocaleString();
      button.disabled = !count && TEXTS[i] !== this.text;
      button.setAttribute("aria-pressed", String(TEXTS[i] === this.text));
    });
  }

  // Drawn once for the latest choice: what is drawn again has lost its marks.
  async choose(text) {
    const choice = ++this.chosen;
    this.text = text;
    this.found = this.tiles = [];  // else Enter would say of what is still shown that it is the new digit
    $("tiles").replaceChildren();
    this.count();
    $("odd").textContent = "";
    this.showCounts();
    $("alike").textContent = text ? `a ${text}` : "empty";
    await this.load();
    if (choice === this.chosen) this.draw();
  }

  async load() {
    const text = this.text;
    const found = await this.desk.ask("/api/alike", { text, most: 2 * A_SHEET }).catch(() => []);
    if (this.text === text) this.found = found;
  }

  // The server has the last sheet: the one after the next can be fetched.
  saved(said) { if (said.path === "/api/sheet") this.load(); }

  draw() {
    this.tiles = this.found.filter((one) => !this.judged.has(keyOf(one)) && !this.desk.judgedHere.has(keyOf(one))).slice(0, A_SHEET);
    $("tiles").replaceChildren(...this.tiles.map((one) => {
      const button = document.createElement("button");
      const picture = document.createElement("img");
      picture.src = one.picture;
      picture.alt = `${this.text || "nothing"}?`;
      button.append(picture);
      button.dataset.key = keyOf(one);
      button.title = `${one.field} · ${(100 * one.confidence).toFixed(1)} %`;
      button.setAttribute("aria-pressed", "false");
      button.onclick = () => { button.setAttribute("aria-pressed", String(button.ariaPressed !== "true")); this.count(); };
      return button;
    }));
    this.count();
    $("tiles").firstChild?.focus({ preventScroll: true });
    this.since = performance.now();
  }

  count() {
    const odd = $("tiles").querySelectorAll('[aria-pressed="true"]').length, all = this.tiles.length;
    $("accept-sheet").disabled = !all;
    $("accept-sheet").firstChild.textContent = all ? `Accept ${all - odd} ` : "Accept ";
    $("odd").textContent = !all ? "No such digits are open." : odd ? `${odd} odd: they come one by one` : "";
  }

  accept() {
    if (!this.tiles.length) return;
    const odd = [...$("tiles").children].map((button) => button.ariaPressed === "true");
    const values = this.tiles.map(({ page, field, revision }, i) => ({ page, field, revision, odd: odd[i] }));
    const seconds = (performance.now() - this.since) / 1000;
    this.desk.say("/api/sheet", { text: this.text, values }, this.tiles.map(keyOf), seconds);
    this.tiles.forEach((one) => this.judged.add(keyOf(one)));
    // What is odd waits to be looked at by itself.
    this.tiles.filter((_, i) => odd[i]).forEach((one) => this.desk.judgedHere.delete(keyOf(one)));
    this.desk.state.alike[this.text] = Math.max(0, (this.desk.state.alike[this.text] || 0) - this.tiles.length);
    this.draw();
    if (!this.tiles.length) this.load().then(() => { if (!this.tiles.length) this.draw(); });
  }

  key(key, event) {
    const text = key === "e" ? "" : key;
    if (TEXTS.includes(text)) {
      if (text !== this.text || !this.tiles.length) this.choose(text);
      return true;
    }
    const tiles = [...$("tiles").children], at = tiles.indexOf(document.activeElement);
    const across = tiles.filter((tile) => tile.offsetTop === tiles[0].offsetTop).length;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across };
    if (steps[key] && tiles.length) {
      tiles[Math.min(tiles.length - 1, Math.max(0, at + steps[key]))].focus();
      return true;
    }
    if (key === "Enter") { if (!event.repeat) this.accept(); return true; }
    return false;
  }
}
