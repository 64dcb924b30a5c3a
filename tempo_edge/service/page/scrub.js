// Leafing through a moment: pictures at several of its times, fetched while somebody looks at it.

import { picture } from "./service.js";

const FRAMES = 8;
const DWELL_MS = 90;
const WIDTH = 480;

/** The times of the pictures: the middles of equal parts, so none lies outside the moment. */
export const times = (moment, count = FRAMES) =>
  Array.from(
    { length: count },
    (_, index) =>
      moment.start_seconds + ((index + 0.5) / count) * (moment.end_seconds - moment.start_seconds),
  );

/** Indices from one on outwards, so that what is looked at comes first. */
function outwards(from, count) {
  return Array.from({ length: count }, (_, index) => index).sort(
    (a, b) => Math.abs(a - from) - Math.abs(b - from),
  );
}

export class Scrub {
  /** Lays itself over the picture of a card; `frame` is the picture's box. */
  constructor(frame, moment) {
    this.frame = frame;
    this.times = times(moment);
    this.video = moment.video;
    this.pictures = [];
    this.at = -1;
    this.leaf = frame.querySelector(".leaf");
    this.mark = frame.querySelector(".leaf-mark");
    frame.addEventListener("pointerenter", (event) => this.enter(event));
    frame.addEventListener("pointermove", (event) => this.follow(event));
    frame.addEventListener("pointerleave", () => this.leave());
  }

  enter(event) {
    if (event.pointerType === "touch") return;
    this.follow(event);
    clearTimeout(this.dwell);
    // Whoever only passes over a picture on the way to another wants nothing decoded.
    this.dwell = setTimeout(() => this.fetch(), DWELL_MS);
  }

  follow(event) {
    if (event.pointerType === "touch") return;
    const box = this.frame.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    this.at = Math.min(FRAMES - 1, Math.max(0, Math.floor(share * FRAMES)));
    this.draw();
  }

  /** One picture on or back, by key. */
  step(by) {
    this.at = this.at < 0 ? Math.floor(FRAMES / 2) : this.at;
    this.at = Math.min(FRAMES - 1, Math.max(0, this.at + by));
    this.draw();
    this.fetch();
  }

  async fetch() {
    if (this.stopping) return;
    const stopping = (this.stopping = new AbortController());
    const { signal } = stopping;
    for (const index of outwards(this.at, FRAMES)) {
      if (this.pictures[index]) continue;
      try {
        const response = await fetch(picture(this.video, this.times[index], WIDTH), { signal });
        if (!response.ok) return;
        const blob = await response.blob();
        if (signal.aborted) return;
        this.pictures[index] = URL.createObjectURL(blob);
      } catch {
        return; // cancelled, or the service is gone: the still picture stays
      }
      this.draw();
    }
  }

  draw() {
    const near = outwards(this.at, FRAMES).find((index) => this.pictures[index]);
    this.mark.style.setProperty("--at", String((this.at + 0.5) / FRAMES));
    this.frame.classList.toggle("leafing", near !== undefined);
    if (near !== undefined && this.leaf.src !== this.pictures[near]) {
      this.leaf.src = this.pictures[near];
      this.frame.dataset.seconds = this.times[near].toFixed(3);
    }
  }

  leave() {
    clearTimeout(this.dwell);
    this.stopping?.abort();
    this.stopping = undefined;
    this.frame.classList.remove("leafing");
    delete this.frame.dataset.seconds;
    this.leaf.removeAttribute("src");
    for (const url of this.pictures) if (url) URL.revokeObjectURL(url);
    this.pictures = [];
    this.at = -1;
  }
}
