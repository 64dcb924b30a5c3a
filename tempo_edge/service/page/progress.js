// Indexing as it goes: told by the service where it can, asked for where it can't.

import { ask, ServiceError, tell } from "./service.js";
import { baseName, count, length, name } from "./words.js";

const find = (id) => document.getElementById(id);
const POLL_MS = 3000;
const LISTEN_AGAIN_MS = 30000;
const SETTLE_MS = 600;

// What is done with a film, as people say it.
const DOING = { hearing: "Hearing", scanning: "Reading the screen of" };

/** How far a film is that takes long: `12 of 60 min`; empty where nothing is known. */
const far = (done, total) =>
  total > 0 ? `${Math.floor(done / 60)} of ${Math.max(1, Math.round(total / 60))} min` : "";

export class Progress {
  /** `status(answer)` is told the service's state, `changed()` that footage came in. */
  constructor({ status, changed, failed }) {
    this.status = status;
    this.changed = changed;
    this.failed = failed;
    find("indexing-toggle").addEventListener("click", () => this.toggle());
    document.addEventListener("visibilitychange", () => this.seen());
  }

  start() {
    this.refresh();
    this.listen();
  }

  /** A hidden tab holds no connection: a browser gives a page only six. */
  seen() {
    if (document.hidden) this.stop();
    else this.start();
  }

  stop() {
    this.events?.close();
    this.events = undefined;
    clearInterval(this.polling);
    clearTimeout(this.listening);
    this.polling = undefined;
  }

  listen() {
    this.events?.close();
    clearTimeout(this.listening);
    const events = (this.events = new EventSource("/v1/events"));
    events.addEventListener("open", () => {
      clearInterval(this.polling);
      this.polling = undefined;
    });
    events.addEventListener("progress", (event) => this.show(JSON.parse(event.data)));
    for (const kind of ["indexed", "skipped"]) events.addEventListener(kind, () => this.settle());
    events.addEventListener("error", () => {
      events.close();
      this.poll();
    });
  }

  poll() {
    this.polling ??= setInterval(() => this.refresh(), POLL_MS);
    clearTimeout(this.listening);
    this.listening = setTimeout(() => this.listen(), LISTEN_AGAIN_MS);
  }

  async refresh() {
    try {
      const answer = await ask("/v1/status");
      this.show(answer.indexing);
      this.status(answer);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      this.failed(error);
    }
  }

  /** Many files may come in at once; the totals are asked for when they have. */
  settle() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      this.refresh();
      this.changed();
    }, SETTLE_MS);
  }

  show(indexing) {
    const was = this.state;
    this.state = indexing.state;
    const idle = indexing.state === "idle";
    find("indexing").hidden = idle;
    if (idle) {
      if (was && was !== "idle") this.settle();
      return;
    }
    const paused = indexing.state === "paused";
    const reason = paused && indexing.reason ? `: ${indexing.reason}` : "";
    const later = DOING[indexing.doing];
    find("indexing-state").textContent = paused ? `Paused${reason}` : (later ?? "Indexing");
    const file = indexing.file ?? "";
    const minutes = later ? far(indexing.done_seconds, indexing.total_seconds) : "";
    find("indexing-file").textContent = [name(baseName(file)), minutes].filter(Boolean).join(", ");
    find("indexing-file").title = name(file);
    find("indexing-toggle").textContent = paused ? "Resume" : "Pause";
    const bar = find("indexing-bar");
    const total = indexing.total_seconds || 0;
    if (total > 0) bar.value = Math.min(1, indexing.done_seconds / total);
    else bar.removeAttribute("value");
    const left = indexing.remaining_seconds || 0;
    find("indexing-left").textContent = left > 0 && !paused ? `about ${length(left)} left` : "";
  }

  async toggle() {
    try {
      await tell(this.state === "paused" ? "/v1/resume" : "/v1/pause");
      await this.refresh();
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      this.failed(error);
    }
  }
}

/** The library in a line, under the page. */
export function facts(status) {
  const hours = status.hours * 3600;
  const parts = [count(status.videos, "video")];
  if (status.videos) parts.push(length(hours));
  parts.push(`profile ${status.profile}`, `tempo-edge ${status.version}`);
  find("facts").textContent = parts.join(" · ");
  const skipped = find("skipped-open");
  skipped.hidden = !status.skipped;
  skipped.textContent = `${count(status.skipped, "file")} skipped`;
}
