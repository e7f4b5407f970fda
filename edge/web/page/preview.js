// The preview: one stream of events for all that is written, one of pictures. All text arrives by textContent.

const MOST_EVENTS = 50;
const AWAY_MS = 6000; // the server sends a pulse every half second
const PIECES = ["--pieces-1", "--pieces-2", "--pieces-3", "--pieces-4"];
const at = (id) => document.getElementById(id);

let view = "picture";
let live = null;
let heard = 0;
let held = false;
let pictures = 0;
let waiting = true;

// ---- small pieces

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = value;
    else if (name === "class") element.className = value;
    else element.dataset[name] = value;
  }
  element.append(...children);
  return element;
}

const percent = (share) => `${Math.round(100 * share)} %`;
const clock = (time) => new Date(time).toLocaleTimeString([], { hour12: false });

function duration(seconds) {
  const [d, h, m] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60];
  if (d) return `${d} d ${h} h`;
  if (h) return `${h} h ${m} min`;
  return m ? `${m} min` : `${Math.floor(seconds)} s`;
}

// ---- the picture

function showPicture() {
  pictures += 1; // another address, or the browser shows the stream that has ended
  at("picture").src = `stream.mjpg?view=${view}&n=${pictures}`;
}

function hidePicture() {
  at("picture").removeAttribute("src"); // ends the stream
}

function choose(which) {
  view = which;
  at("show-picture").setAttribute("aria-pressed", String(which === "picture"));
  at("show-ink").setAttribute("aria-pressed", String(which === "ink"));
  if (live) showPicture();
}

function say(status, words, over = "") {
  const output = at("status");
  output.dataset.is = status;
  if (output.textContent !== words) output.textContent = words;
  at("over").textContent = over;
  at("over").hidden = !over;
  at("view").classList.toggle("away", status === "away");
}

// ---- what the server tells

function onPulse(pulse) {
  const silent = `${Math.round(pulse.silent_s)} s`;
  if (pulse.waiting) say("lost", "no picture yet", `Waiting for the camera's first picture, ${silent}`);
  else if (pulse.lost) say("lost", `no picture for ${silent}`);
  else say("live", "live");
  if (waiting && !pulse.waiting) showPicture();
  waiting = pulse.waiting;
  at("picture").hidden = waiting;
  if (pulse.size[0]) at("view").style.aspectRatio = `${pulse.size[0]} / ${pulse.size[1]}`;
  at("source").textContent = pulse.source;
  at("fps").textContent = pulse.fps ?? "–";
  at("latency").textContent = pulse.latency_ms === null ? "–" : `${Math.round(pulse.latency_ms)} ms`;
  at("skipped").textContent = pulse.skipped;
  at("network-figure").hidden = pulse.inference_ms === null;
  at("network").textContent = `${pulse.inference_ms} ms`;
  at("running").textContent = `running for ${duration(pulse.running_s)}, ${pulse.frames.toLocaleString()} frames`;
  const shown = pulse.lost ? [] : pulse.shown;
  document.title = shown.length ? `${shown.map((reading) => reading.text).join(" · ")} – inkedge` : "inkedge";
  replace(at("now"), shown.map(numberNow), JSON.stringify(shown));
  at("now-none").hidden = shown.length > 0;
  at("queues-card").hidden = !pulse.queues.length;
  replace(at("queues"), pulse.queues.map(queueNow), JSON.stringify(pulse.queues));
}

function replace(list, items, key) {
  if (list.dataset.key === key) return; // nothing new: leave selections and screen readers alone
  list.dataset.key = key;
  list.replaceChildren(...items);
}

function numberNow(reading) {
  const doubt = reading.status === "review" ? "?" : "";
  return make("li", { status: reading.status }, make("b", { text: reading.text + doubt }), make("small", { text: percent(reading.confidence) }));
}

function queueNow(queue) {
  const words = [queue.connected ? "connected" : "away", queue.waiting ? `${queue.waiting} waiting` : "", queue.dropped ? `${queue.dropped} dropped` : ""];
  return make("li", { connected: queue.connected ? "yes" : "no" }, make("b", { text: queue.name }), make("span", { text: words.filter(Boolean).join(", ") }));
}

function onEvent(message) {
  const event = JSON.parse(message.data);
  const list = at("events");
  if ([...list.children].some((item) => item.dataset.id === event.id)) return; // told again after a lost connection
  const doubt = event.status === "review" ? "?" : "";
  const when = make("time", { text: clock(event.time) });
  when.dateTime = event.time;
  const sure = event.event === "gone" ? "" : percent(event.confidence);
  const item = make("li", { id: event.id, event: event.event, status: event.status, class: "new" },
    when, make("b", { text: event.text + doubt }), make("span", { class: "kind", text: event.event }), make("span", { class: "sure", text: sure }));
  list.prepend(item);
  while (list.children.length > MOST_EVENTS) list.lastElementChild.remove();
  at("events-none").hidden = true;
}

// ---- what the network saw

function onInsight(insight) {
  if (held) return;
  at("insight").replaceChildren(...insight.readings.map((reading) => seen(reading, insight.threshold)));
  if (insight.more) at("insight").append(make("p", { class: "none", text: `and ${insight.more} more` }));
  at("insight-none").hidden = insight.readings.length > 0;
}

function seen(reading, threshold) {
  const status = reading.status === "read" ? "sure" : "for review";
  const said = make("div", { class: "said" }, make("b", { text: reading.text || "?" }), make("span", { class: "badge", status: reading.status, text: `${status}, ${(100 * reading.confidence).toFixed(1)} %` }));
  const why = reasons(reading, threshold);
  if (why) said.append(make("span", { class: "why", text: why }));
  const box = make("article", { class: "seen" }, said);
  if (reading.ink) box.append(figure("ink, and its pieces", inkPicture(reading.ink)));
  const pieces = reading.digits.map((digit) => glyph(digit, tensorCanvas(digit.tensor), threshold));
  if (pieces.length) box.append(make("div", { class: "pieces" }, ...pieces));
  if (reading.strip) box.append(stripRow(reading.strip, threshold));
  return box;
}

function reasons(reading, threshold) {
  const words = [...reading.doubts];
  const none = reading.digits.filter((digit) => digit.label === "none").length;
  if (none) words.push(`${none} of ${reading.digits.length} pieces looks like no digit`);
  if (reading.status === "review" && reading.confidence < threshold) words.push(`sure from ${(100 * threshold).toFixed(1)} % on`);
  return words.join("; ");
}

function figure(caption, content) {
  return make("figure", { class: "piece" }, make("figcaption", { text: caption }), content);
}

function png(data, kind) {
  const image = make("img", { class: kind });
  image.alt = "";
  image.src = `data:image/png;base64,${data}`;
  return image;
}

function inkPicture(ink) {
  const canvas = make("canvas", { class: "ink" });
  const image = new Image();
  image.onload = () => {
    [canvas.width, canvas.height] = [image.width, image.height];
    const pen = canvas.getContext("2d");
    pen.drawImage(image, 0, 0);
    ink.boxes.forEach(([left, top, right, bottom], n) => {
      pen.strokeStyle = color(PIECES[n % PIECES.length]);
      pen.strokeRect(left - 0.5, top - 0.5, right - left + 1, bottom - top + 1);
    });
  };
  image.src = `data:image/png;base64,${ink.png}`;
  return canvas;
}

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);

function tensorCanvas(base64) {
  const canvas = make("canvas");
  canvas.width = canvas.height = 28;
  const values = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const pen = canvas.getContext("2d");
  const image = pen.createImageData(28, 28);
  values.forEach((ink, n) => image.data.set([255 - ink, 255 - ink, 255 - ink, 255], 4 * n));
  pen.putImageData(image, 0, 0);
  return canvas;
}

function glyph(digit, canvas, threshold) {
  const sure = digit.confidence >= threshold && digit.label !== "none";
  const label = digit.label === "none" ? "no digit" : digit.label;
  const name = make("div", { class: "name" }, make("b", { text: label }), make("span", { text: percent(digit.confidence) }));
  const figure = make("figure", { class: "piece glyph", sure: sure ? "yes" : "no" }, canvas, name, bars(digit.shares));
  return figure;
}

function bars(shares) {
  const most = Math.max(...shares.map(([, share]) => share));
  const chart = make("div", { class: "bars" });
  for (const [label, share] of shares) {
    const bar = make("i");
    bar.style.height = `${Math.round(34 * share)}px`;
    chart.append(make("div", { class: share === most ? "best" : "" }, bar, make("span", { text: label === "none" ? "–" : label })));
  }
  return chart;
}

function stripRow(strip, threshold) {
  const row = make("div", { class: "pieces" }, figure("read whole by the number network", png(strip.png, "strip")));
  for (const digit of strip.digits) row.append(glyph(digit, cutCanvas(strip, digit.span), threshold));
  return row;
}

function cutCanvas(strip, [first, last]) {
  const canvas = make("canvas");
  const side = Math.max(strip.height, last - first);
  canvas.width = canvas.height = side;
  const image = new Image();
  image.onload = () => {
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, side, side);
    pen.drawImage(image, first, 0, last - first, strip.height, (side - last + first) / 2, (side - strip.height) / 2, last - first, strip.height);
  };
  image.src = `data:image/png;base64,${strip.png}`;
  return canvas;
}

// ---- coming and going

function connect() {
  live = new EventSource("live");
  live.onopen = () => {
    heard = Date.now();
    showPicture();
  };
  const tell = (take) => (message) => {
    heard = Date.now();
    take(JSON.parse(message.data));
  };
  live.onmessage = onEvent;
  live.addEventListener("pulse", tell(onPulse));
  live.addEventListener("insight", tell(onInsight));
}

function leave() {
  live?.close();
  live = null;
  hidePicture();
}

function watch() {
  if (!live) return;
  if (Date.now() - heard > AWAY_MS) say("away", "connection lost", "Connection lost; trying again");
  if (live.readyState === EventSource.CLOSED) comeBack(); // the browser has given up: the answer was an error
}

async function comeBack() {
  leave();
  const answer = await fetch("icon.svg", { cache: "no-store" }).catch(() => null);
  if (answer?.status === 401) location.reload(); // the token is another one now: the page that asks for it
  else if (!document.hidden) live ?? connect();
}

function theme(next) {
  const dark = next ?? localStorage.getItem("theme") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  document.documentElement.dataset.theme = dark;
  if (next) localStorage.setItem("theme", next);
}

theme();
at("theme").onclick = () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
at("show-picture").onclick = () => choose("picture");
at("show-ink").onclick = () => choose("ink");
at("hold").onclick = () => {
  held = !held;
  at("hold").setAttribute("aria-pressed", String(held));
  at("hold").textContent = held ? "Held" : "Hold";
};
// Nobody looks at a hidden page: the machine need not draw for it.
document.addEventListener("visibilitychange", () => (document.hidden ? leave() : live || connect()));
addEventListener("pagehide", leave);
addEventListener("pageshow", () => live || connect());
setInterval(watch, 2000);
heard = Date.now();
connect();
