// One value after the other: the next ones are here, with their pictures, before they are wanted.
import { $, keyOf, showDone } from "./review.js";

const AHEAD = 12;
const PICTURES_AHEAD = 4;
const TYPED = /^[0-9 .,'\u00a0\u2009\u202f]*$/;

export class OneView {
  constructor(desk) {
    this.desk = desk;
    this.queue = [];
    this.later = new Set();
    this.after = "";
    this.value = null;
    this.open = false;
    this.turn = 0;  // of the call of next() that may draw: what an earlier one waits for comes too late
    this.disputesSeen = new Set();
    this.wholePage = false;
    this.kept = [];  // pictures that were asked for ahead: a browser may drop what nothing holds
    $("accept").onclick = () => this.accept();
    $("empty").onclick = () => this.enter("");
    $("unreadable").onclick = () => this.enter(null);
    $("later").onclick = () => this.putOff();
    $("whole").onclick = () => this.toggleWhole();
    $("value").oninput = () => this.typed();
    $("around").onerror = () => this.explainMissing();
    $("around").onload = () => { $("gone").hidden = true; $("around").hidden = false; };
    document.addEventListener("visibilitychange", () => { this.since = performance.now(); });
  }

  show() {
    this.open = true;
    // A sheet may have judged what was to come.
    const judged = (one) => this.desk.judgedHere.has(keyOf(one));
    this.queue = this.queue.filter((one) => !judged(one));
    if (this.value && judged(this.value)) this.value = null;
    $("one").hidden = !this.value;
    if (this.value) { showDone(false); $("value").focus(); this.since = performance.now(); } else this.next();
  }

  hide() {
    this.open = false;
    this.turn++;
    $("one").hidden = true;
    showDone(false);
  }

  // There may be more by now: a run reads on, or others have put values off.
  refreshed() { if (!this.value && !this.loading && this.desk.state.left) this.next(); }

  restart() {
    this.queue = [];
    this.later.clear();
    this.after = "";
    this.asked = (this.asked || 0) + 1;
    this.loading = null;
    this.value = null;
    if (this.open) this.next();
  }

  // Values that were taken back, or that another has judged: they are shown now.
  undone(values) {
    if (!values.length) return;
    if (this.value) this.queue.unshift(this.value);
    const keys = new Set(values.map(keyOf));
    this.queue = [...values, ...this.queue.filter((one) => !keys.has(keyOf(one)))];
    this.value = null;
    this.next();
  }

  async next() {
    const turn = ++this.turn;
    while (!this.queue.length) {
      const more = await this.load();
      if (turn !== this.turn) return;
      if (!more) return this.finish();
    }
    this.value = this.queue.shift();
    this.draw();
    if (this.queue.length < AHEAD / 2) this.load();
  }

  // Fetch what comes next; false if there is nothing.
  load() {
    this.loading ??= this.fetchMore().finally(() => { this.loading = null; });
    return this.loading;
  }

  async fetchMore() {
    const round = this.asked;
    for (let tries = 0; tries < 50; tries++) {
      let found;
      try {
        found = await this.desk.ask("/api/values", { order: this.desk.order, after: this.after, most: AHEAD });
      } catch {
        await new Promise((go) => setTimeout(go, 1000));
        continue;
      }
      if (round !== this.asked) return false;
      const fresh = this.fresh(found);
      if (found.length) this.after = found.at(-1).after;
      if (fresh.length) {
        this.queue.push(...fresh);
        this.queue.slice(0, PICTURES_AHEAD).forEach((one) => this.prefetch(one));
        return true;
      }
      if (!found.length) {
        if (this.queue.length) return true;
        const unsaved = this.desk.sender.waiting.length;  // an odd one of a sheet is to come when that is saved
        if (!this.after && !this.later.size && !unsaved) return this.desk.state.twice ? this.loadDisputes() : false;
        this.after = "";  // round once more: what was put off, or not yet saved
        this.later.clear();
        await new Promise((go) => setTimeout(go, unsaved ? 200 : 0));
      }
    }
    return false;
  }

  async loadDisputes() {
    const found = (await this.desk.ask("/api/disputed")).filter((one) => !this.disputesSeen.has(keyOf(one)));
    found.forEach((one) => this.disputesSeen.add(keyOf(one)));
    this.queue.push(...found);
    return found.length > 0;
  }

  fresh(found) {
    const here = new Set([...this.queue, ...(this.value ? [this.value] : [])].map(keyOf));
    const unsaved = this.desk.sender.keys;
    return found.filter((one) => {
      const key = keyOf(one);
      return !here.has(key) && !unsaved.has(key) && !this.desk.judgedHere.has(key) && !this.later.has(key);
    });
  }

  prefetch(one) {
    for (const url of [cropUrl(one), aroundUrl(one, this.wholePage)]) {
      const picture = new Image();
      picture.src = url;
      this.kept.push(picture);
    }
    this.kept.splice(0, this.kept.length - 4 * PICTURES_AHEAD);
  }

  finish() {
    this.value = null;
    $("one").hidden = true;
    const { error, disputed, left } = this.desk.state;
    showDone(true, left ? `The last ${left} are on other screens. They come here if nobody judges them within two minutes.`
      : disputed ? `${disputed} values on which two names disagree wait for a third.`
      : error === null ? "Every value that was held for review has been seen. `edge forms export` writes the table."
      : `What is left unseen is expected to hold no more than ${100 * error} % errors, by its own confidences.`);
  }

  draw() {
    const one = this.value;
    showDone(false);
    $("one").hidden = false;
    $("field").textContent = one.field;
    $("reason").textContent = one.others?.length ? "two names disagree" : one.reason || "";
    $("place").textContent = one.place;
    $("crop").src = cropUrl(one);
    $("hint").textContent = "";
    const input = $("value");
    input.value = one.text || "";
    input.placeholder = one.blind ? "type what you see" : "";
    this.drawAlternatives();
    this.drawAround();
    this.typed();
    input.focus();
    input.select();
    this.since = performance.now();
    this.queue.slice(0, PICTURES_AHEAD).forEach((next) => this.prefetch(next));
  }

  drawAlternatives() {
    const one = this.value;
    const choices = one.blind ? [] : one.others?.length ? one.others.map(([name, said]) => [said, null, name])
      : [...(one.text ? [[one.text, one.confidence]] : []), ...one.alternatives.filter(([text]) => text !== one.text)];
    this.choices = choices.filter(([text]) => /^[0-9]+$/.test(text));
    $("alternatives").replaceChildren(...this.choices.map(([text, share, name]) => {
      const button = document.createElement("button");
      const said = document.createElement("b"), how = document.createElement("span"), bar = document.createElement("i");
      said.textContent = text;
      how.textContent = name ?? percent(share);
      bar.style.width = share === null ? "0" : `${100 * share}%`;
      button.append(said, how, bar);
      button.onclick = () => { $("value").value = text; this.typed(); $("value").focus(); };
      return button;
    }));
  }

  drawAround() {
    const url = aroundUrl(this.value, this.wholePage);
    if (!$("around").src.endsWith(url)) $("around").src = url;
    $("whole").setAttribute("aria-pressed", String(this.wholePage));
  }

  async explainMissing() {
    const url = $("around").src;
    const why = await fetch(url).then((answer) => answer.json()).then((told) => told.error).catch(() => "no answer");
    if ($("around").src !== url) return;
    $("around").hidden = true;
    $("gone").hidden = false;
    $("gone").textContent = `The page cannot be shown. ${why}`;
  }

  toggleWhole() {
    this.wholePage = !this.wholePage;
    this.drawAround();
    $("value").focus();
  }

  typed() {
    const text = $("value").value;
    $("value").dataset.long = String(text.length > 8);
    $("value").dataset.is = !this.value || this.value.blind || text === this.value.text ? "" : "changed";
    [...$("alternatives").children].forEach((button, i) => button.setAttribute("aria-pressed", String(this.choices[i][0] === text)));
    $("hint").textContent = TYPED.test(text) ? "" : "A value is digits only.";
  }

  accept() {
    const text = $("value").value.replace(/[^0-9]/g, "");
    if (!TYPED.test($("value").value)) return;
    if (text.length > 40) { $("hint").textContent = "A value has 40 digits at most."; return; }
    if (!text) { $("hint").textContent = "Type what stands there; E if nothing does, U if nobody can read it."; return; }
    this.enter(text);
  }

  enter(value) {
    if (!this.value) return;
    const { page, field, revision } = this.value;
    const seconds = (performance.now() - this.since) / 1000;
    this.desk.say("/api/enter", { page, field, revision, value }, [keyOf(this.value)], seconds);
    this.value = null;
    this.next();
  }

  putOff() {
    if (!this.value) return;
    this.later.add(keyOf(this.value));
    this.value = null;
    this.next();
  }

  key(key, event) {
    if (!this.value) return false;
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (steps[key] && this.choices.length) {
      const at = this.choices.findIndex(([text]) => text === $("value").value);
      $("value").value = this.choices[(at + steps[key] + this.choices.length) % this.choices.length][0];
      this.typed();
      return true;
    }
    const acts = {
      Enter: () => this.accept(), e: () => this.enter(""), u: () => this.enter(null), l: () => this.putOff(),
      p: () => this.toggleWhole(), Escape: () => { $("value").value = this.value.text || ""; this.typed(); $("value").select(); },
    };
    if (key === "Enter" && event.target.tagName === "BUTTON" && event.target.id !== "accept") return false;
    if (acts[key]) { if (!event.repeat) acts[key](); return true; }
    if (/^[0-9]$/.test(key) && event.target !== $("value")) $("value").focus();
    return key.length === 1 && !TYPED.test(key);
  }
}

function percent(share) {
  return share > 0.995 && share < 1 ? "> 99 %" : share < 0.01 ? "< 1 %" : `${Math.round(100 * share)} %`;
}

const named = (one) => new URLSearchParams({ page: one.page, field: one.field, generation: one.generation });
const cropUrl = (one) => `crop.png?${named(one)}`;
const aroundUrl = (one, whole) => `around.jpg?${named(one)}${whole ? "&whole=1" : ""}`;
