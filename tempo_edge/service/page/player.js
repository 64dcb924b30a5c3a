// The player: a dialog with the video, which starts where the moment starts, or shortly before
// words are said.

import { cue, foundBy, isOfWords } from "./evidence.js";
import { fill, marked } from "./lines.js";
import { partsOf, showParts } from "./parts.js";
import { momentKey } from "./place.js";
import { ask, footage, picture, said, ServiceError } from "./service.js";
import { Timeline } from "./timeline.js";
import { Ways } from "./ways.js";
import { name, percent, span, timestamp, unreachable } from "./words.js";

const STILL_WIDTH = 1280;
// Of a whole video a moment this short would be a hair on the time line.
const HAIR = 0.08;

const find = (id) => document.getElementById(id);

export class Player {
  /** `moved(key)` is told which moment plays; an empty key when the player closes. */
  constructor({ moved }) {
    this.dialog = find("player");
    this.video = find("video");
    this.still = find("still");
    this.moved = moved;
    this.list = [];
    this.at = 0;
    this.timeline = new Timeline(find("timeline"), (seconds) => this.seek(seconds));
    this.ways = new Ways({ left: () => this.video.pause(), seconds: () => this.seconds || 0 });
    this.wireVideo();
    this.wireButtons();
    this.dialog.addEventListener("close", () => this.closed());
    this.dialog.addEventListener("keydown", (event) => this.pressed(event));
    // Some browsers press a button when Space is let go, whatever became of its going down.
    find("play").addEventListener("keyup", (event) => event.key === " " && event.preventDefault());
  }

  get moment() {
    return this.list[this.at];
  }

  get open() {
    return this.dialog.open;
  }

  get seconds() {
    return this.stills ? this.stillSeconds : this.video.currentTime;
  }

  wireVideo() {
    const { video } = this;
    video.addEventListener("loadedmetadata", () => this.loaded());
    video.addEventListener("seeked", () => this.arrived());
    video.addEventListener("error", () => this.failed());
    video.addEventListener("click", () => this.toggle());
    for (const event of ["play", "pause", "ended"]) {
      video.addEventListener(event, () => this.showState());
    }
    for (const event of ["timeupdate", "seeking", "seeked"]) {
      video.addEventListener(event, () => this.showTime());
    }
    video.addEventListener("ended", () => {
      if (this.looping && !this.moment.whole) this.restart();
    });
    video.addEventListener("volumechange", () => this.showSound());
  }

  wireButtons() {
    const acts = {
      play: () => this.toggle(),
      again: () => this.restart(),
      loop: () => this.setLoop(!this.looping),
      zoom: () => this.setWhole(!this.whole),
      mute: () => (this.video.muted = !this.video.muted),
      fullscreen: () => this.fill(),
      previous: () => this.step(-1),
      next: () => this.step(1),
      "player-close": () => this.dialog.close(),
    };
    for (const [id, act] of Object.entries(acts)) find(id).addEventListener("click", act);
  }

  /** Play the moment at an index of a list; `query` is what its curve is drawn for. */
  show(list, at, query) {
    this.list = list;
    this.at = at;
    this.query = query;
    this.start();
    if (this.open) return;
    this.dialog.showModal();
    find("play").focus();
  }

  start() {
    const { moment } = this;
    this.stills = false;
    this.starting = false;
    this.stillSeconds = moment.start_seconds;
    find("player-name").textContent = name(moment.name);
    find("player-name").title = moment.path ? name(moment.path) : "";
    find("player-span").textContent = this.caption();
    this.tell();
    find("legend-similarity").parentElement.classList.toggle("asked", Boolean(this.query));
    find("previous").disabled = this.at === 0;
    find("next").disabled = this.at === this.list.length - 1;
    find("again").disabled = find("loop").disabled = Boolean(moment.whole);
    this.words("");
    this.ways.show(moment);
    this.still.hidden = true;
    this.video.hidden = false;
    this.timeline.clear();
    this.whole = undefined;
    this.view(moment.end_seconds);
    this.draw();
    if (!moment.online) return this.absent();
    this.video.src = footage(moment.video);
    this.showTime();
  }

  caption() {
    const { moment } = this;
    if (moment.whole) return timestamp(moment.end_seconds);
    const sure = moment.confidence === undefined ? "" : `, confidence ${percent(moment.confidence)}`;
    return span(moment) + sure;
  }

  /** What it was found by, and the line that was. */
  tell() {
    const { moment } = this;
    const text = moment.text ?? "";
    find("player-line").hidden = !text;
    find("player-by").textContent = foundBy(moment);
    fill(find("player-said"), marked(text, this.query ?? ""));
    this.dialog.classList.toggle("of-words", isOfWords(moment));
    showParts(find("player-parts"), moment, (seconds) => this.seek(seconds));
    find("legend-moment").textContent = isOfWords(moment) ? "words" : "moment";
  }

  absent() {
    this.video.removeAttribute("src");
    this.video.load();
    this.video.hidden = true;
    const why = this.moment.drive_away === undefined ? ". Its drive may not be connected" : "";
    this.words(`${unreachable(this.moment)}${why}.`);
  }

  loaded() {
    this.view(this.video.duration);
    this.starting = true;
    this.video.currentTime = cue(this.moment);
  }

  /** Play once it stands where the moment starts, so that no other picture is seen first. */
  arrived() {
    if (!this.starting) return;
    this.starting = false;
    this.video.play().catch(() => this.showState()); // a page opened by a link may not start by itself
  }

  async failed() {
    if (!this.open || !this.video.getAttribute("src")) return;
    const source = this.video.getAttribute("src");
    let fault = "";
    try {
      const response = await fetch(source, { headers: { Range: "bytes=0-0" } });
      if (response.status === 404) fault = "The file is not there now. Its drive may not be connected.";
      else if (!response.ok) fault = (await said(response)) ?? `The service can't give the file (${response.status}).`;
    } catch {
      fault = "The service doesn't answer. Start it with “tempo-edge serve”, then play again.";
    }
    if (this.video.getAttribute("src") !== source) return;
    if (fault) return this.words(fault);
    // The file is whole but this browser has no decoder for it; the service has.
    this.stills = true;
    this.video.hidden = true;
    this.still.hidden = false;
    const otherwise = this.ways.hasPlayer ? ", or open it in mpv" : "";
    this.words(`This browser can't play the file. Choose a time on the line to see its picture${otherwise}.`);
    this.seek(this.moment.start_seconds);
    this.showState();
  }

  async draw() {
    const { moment } = this;
    const ours = (this.drawing = new AbortController());
    this.drawingBefore?.abort();
    this.drawingBefore = ours;
    try {
      const curves = await ask(`/v1/videos/${moment.video}/curve`, { q: this.query }, ours.signal);
      this.timeline.setCurves(curves);
      const end = curves.edges.at(-1);
      if (end > this.duration) this.view(end);
    } catch (error) {
      // Without its curves a time line is still a time line.
      if (error.name !== "AbortError" && !(error instanceof ServiceError)) throw error;
    }
  }

  /** Fit the time line to the video's length, which is only known once some of it is read. */
  view(duration) {
    const { moment } = this;
    this.duration = Number.isFinite(duration) ? Math.max(duration, moment.end_seconds) : moment.end_seconds;
    const taken = moment.end_seconds - moment.start_seconds;
    const whole = this.whole ?? (moment.whole || taken / this.duration >= HAIR);
    const around = Math.max(10, taken * 2);
    const first = whole ? 0 : Math.max(0, moment.start_seconds - around);
    const last = whole ? this.duration : Math.min(this.duration, moment.end_seconds + around);
    this.timeline.setView(first, last, this.duration, moment.whole ? null : moment, partsOf(moment));
    find("tick-first").textContent = timestamp(first);
    find("tick-last").textContent = timestamp(last);
    find("zoom").setAttribute("aria-pressed", String(Boolean(whole)));
    find("zoom").hidden = moment.whole || around * 2 + taken >= this.duration;
    this.showTime();
  }

  setWhole(whole) {
    this.whole = whole;
    this.view(this.duration);
  }

  setLoop(looping) {
    this.looping = looping;
    find("loop").setAttribute("aria-pressed", String(looping));
    if (looping) this.restart();
  }

  toggle() {
    if (this.stills || !this.video.getAttribute("src")) return;
    if (this.video.error) this.start();
    else if (this.video.paused) this.video.play().catch(() => this.showState());
    else this.video.pause();
  }

  restart() {
    this.seek(this.stills ? this.moment.start_seconds : cue(this.moment));
    if (!this.stills) this.video.play().catch(() => this.showState());
  }

  seek(seconds) {
    const target = Math.min(Math.max(0, seconds), this.duration);
    if (this.stills) {
      this.stillSeconds = target;
      clearTimeout(this.fetching);
      const last = Math.max(0, this.duration - 0.05);
      this.fetching = setTimeout(() => {
        this.still.src = picture(this.moment.video, Math.min(target, last), STILL_WIDTH);
      }, 60);
    } else this.video.currentTime = target;
    this.showTime();
  }

  step(by) {
    const next = this.at + by;
    if (next < 0 || next >= this.list.length) return;
    this.at = next;
    this.start();
    this.moved(momentKey(this.moment));
  }

  fill() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.dialog.querySelector(".stage").requestFullscreen().catch(() => {});
  }

  showState() {
    const playing = !this.video.paused && !this.video.ended && !this.stills;
    this.dialog.classList.toggle("playing", playing);
    find("play").setAttribute("aria-label", playing ? "Pause" : "Play");
    find("play").disabled = Boolean(this.stills);
    if (playing) this.run();
    else this.showTime();
  }

  /** Follow the video from picture to picture; its own reports come four times a second. */
  run() {
    cancelAnimationFrame(this.running);
    this.running = requestAnimationFrame(() => {
      if (this.video.paused || !this.open) return;
      this.showTime();
      if (this.looping && !this.moment.whole && this.video.currentTime >= this.moment.end_seconds) {
        this.video.currentTime = cue(this.moment);
      }
      this.run();
    });
  }

  showTime() {
    const seconds = this.seconds || 0;
    this.timeline.setPosition(seconds);
    find("clock").textContent = `${timestamp(seconds)} / ${timestamp(this.duration ?? 0)}`;
  }

  showSound() {
    this.dialog.classList.toggle("muted", this.video.muted);
    find("mute").setAttribute("aria-pressed", String(!this.video.muted));
  }

  words(text) {
    find("player-words").textContent = text;
    find("player-words").hidden = !text;
  }

  closed() {
    if (this.open) return; // closing is told later: another moment may have been opened since
    if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
    cancelAnimationFrame(this.running);
    this.drawingBefore?.abort();
    this.ways.stop();
    this.video.pause();
    this.video.removeAttribute("src");
    this.video.load();
    this.still.removeAttribute("src");
    this.dialog.classList.remove("playing");
    this.moved("");
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const far = event.shiftKey ? 5 : 1;
    const acts = {
      " ": () => this.toggle(),
      k: () => this.toggle(),
      ArrowLeft: () => this.seek(this.seconds - far),
      ArrowRight: () => this.seek(this.seconds + far),
      n: () => this.step(1),
      p: () => this.step(-1),
      r: () => this.restart(),
      l: () => this.setLoop(!this.looping),
      m: () => (this.video.muted = !this.video.muted),
      f: () => this.fill(),
      z: () => this.setWhole(find("zoom").getAttribute("aria-pressed") !== "true"),
    };
    const act = acts[event.key.length > 1 ? event.key : event.key.toLowerCase()];
    // Space on another button is that button's.
    const elsewhere = event.target.closest("button:not(#play)");
    if (!act || (event.key === " " && elsewhere)) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }
}
