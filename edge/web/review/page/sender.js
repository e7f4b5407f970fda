// What was said is kept in the browser until the server has it on disk: a server that dies loses nothing.
const RETRY_MS = [300, 700, 1500, 3000, 5000];

export class Sender {
  // job: whose it is; tell(waiting, late): how many are not saved yet; done(said, answer): what became of one.
  constructor(job, tell, done) {
    this.key = `inkedge-unsaved ${job}`;
    this.tell = tell;
    this.done = done;
    this.waiting = read(this.key);
    this.running = false;
    this.failures = 0;
    this.go();
  }

  get keys() { return new Set(this.waiting.flatMap((one) => one.keys)); }

  // path: where it is posted; body: what; keys: of the values that it is about.
  send(path, body, keys = []) {
    this.waiting.push({ path, body, keys });
    this.keep();
    this.go();
  }

  keep() {
    localStorage.setItem(this.key, JSON.stringify(this.waiting));
    this.tell(this.waiting.length, this.failures > 0);
  }

  async go() {
    if (this.running) return;
    this.running = true;
    while (this.waiting.length) {
      const one = this.waiting[0];
      const answer = await post(one.path, one.body);
      if (answer === null) {
        const wait = RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)];
        this.tell(this.waiting.length, true);
        await new Promise((go) => setTimeout(go, wait));
        continue;
      }
      this.failures = 0;
      this.waiting.shift();
      this.keep();
      this.done(one, answer);
    }
    this.running = false;
  }
}

// The answer; {error} for what is refused for good; null for what may go well later.
async function post(path, body) {
  try {
    const answer = await fetch(path, {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
    });
    if (answer.ok) return await answer.json();
    if (answer.status === 400 || answer.status === 413) return { error: (await answer.json().catch(() => ({}))).error || "refused" };
    return null;
  } catch {
    return null;
  }
}

function read(key) {
  try {
    const kept = JSON.parse(localStorage.getItem(key) || "[]");
    return Array.isArray(kept) ? kept : [];
  } catch {
    return [];
  }
}
