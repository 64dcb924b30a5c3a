// A moment's ways out of the page: into mpv, onto the clipboard, and as a clip on disk.

import { address, download, save, ServiceError, tell } from "./service.js";

const find = (id) => document.getElementById(id);
// As many seconds as the service cuts out at once.
const LONGEST_CLIP = 600;

export class Ways {
  /** `left()` is told when the video is opened elsewhere, `seconds()` where it stands. */
  constructor({ left, seconds }) {
    this.left = left;
    this.seconds = seconds;
    find("way-mpv").addEventListener("click", () => this.act(() => this.play()));
    find("way-path").addEventListener("click", () => this.act(() => this.copy()));
    find("way-clip").addEventListener("click", () => this.act(() => this.cut()));
  }

  /** Whether the service can open mpv, as its status says. */
  setPlayer(there) {
    find("way-mpv").hidden = !there;
  }

  get hasPlayer() {
    return !find("way-mpv").hidden;
  }

  show(moment) {
    this.stop();
    this.moment = moment;
    const length = moment.end_seconds - moment.start_seconds;
    find("way-mpv").disabled = find("way-clip").disabled = !moment.online;
    find("way-path").disabled = !moment.path;
    find("way-clip").hidden = Boolean(moment.whole) || length > LONGEST_CLIP;
  }

  /** Give up what is under way. */
  stop() {
    this.cutting?.abort();
    this.cutting = undefined;
    this.say("");
  }

  say(words) {
    find("way-words").textContent = words;
  }

  async act(way) {
    try {
      await way();
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof ServiceError)) throw error;
      this.say(error.message);
    }
  }

  async play() {
    const { moment } = this;
    this.say("Opening mpv");
    await tell(address(`/v1/videos/${moment.video}/play`, { t: this.seconds().toFixed(3) }));
    this.left();
    if (moment === this.moment) this.say("Opened in mpv");
  }

  async copy() {
    try {
      await navigator.clipboard.writeText(this.moment.path);
      this.say("Path copied");
    } catch {
      this.say(this.moment.path); // this browser keeps the clipboard to itself
    }
  }

  async cut() {
    this.stop();
    const { moment } = this;
    const ours = (this.cutting = new AbortController());
    this.say("Cutting the clip");
    const span = { start: moment.start_seconds.toFixed(6), end: moment.end_seconds.toFixed(6) };
    const clip = await download(`/v1/videos/${moment.video}/clip`, span, ours.signal);
    save(clip, "clip.mp4");
    this.say("Clip saved");
  }
}
