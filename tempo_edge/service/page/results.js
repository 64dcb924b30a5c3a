// The answer on the page: a library to browse, moments, or nothing with what came closest.

import { libraryWords, readVideos } from "./library.js";
import { isAsking, isNarrowed, momentKey, parameters, parseExample } from "./place.js";
import { ask, client } from "./service.js";
import { missingWords, showTerms } from "./terms.js";
import { count, name, span } from "./words.js";

const LIMIT = 24;
const MOST = 100;
// Videos that are shown more of a library at a time.
const PART = 96;
const BUSY_MS = 200;

const find = (id) => document.getElementById(id);

export class Results {
  constructor({ cards, near, trouble, grown }) {
    this.cards = cards;
    this.near = near;
    this.trouble = trouble;
    this.grown = grown;
    this.limit = LIMIT;
    this.library = null;
  }

  stop() {
    this.asking?.abort();
    this.busy(false);
  }

  busy(on) {
    clearTimeout(this.waiting);
    if (on) this.waiting = setTimeout(() => document.body.classList.add("busy"), BUSY_MS);
    else document.body.classList.remove("busy");
    find("results").setAttribute("aria-busy", String(on));
  }

  /** Ask for a place; the one asked before is forgotten. Never fails: trouble is shown. */
  async ask(place, quick = false, limit = LIMIT, known = []) {
    this.stop();
    const { signal } = (this.asking = new AbortController());
    Object.assign(this, { place, quick, limit });
    this.busy(true);
    this.showExample(place.like); // at once: it can be left where it can't be found, too
    try {
      if (isAsking(place)) await this.search(signal);
      else await this.browse(signal, known);
    } catch (error) {
      if (signal.aborted || error.status === 409) return;
      if (error.status === 400 && !quick) this.showNone(place);
      this.trouble.show(error, () => this.again().then(this.grown));
    } finally {
      if (!signal.aborted) this.busy(false);
    }
  }

  /** What was asked for last, once more. */
  again() {
    return this.ask(this.place, this.quick, this.limit);
  }

  async search(signal) {
    const { place, quick, limit } = this;
    const asked = { q: place.query, like: place.like, limit, client, retrieval: quick ? "1" : "", ...parameters(place.filters) };
    const answer = place.saved
      ? await ask("/v1/saved/run", { name: place.saved, client }, signal)
      : await ask("/v1/find", asked, signal);
    if (signal.aborted) return;
    this.trouble.clear();
    this.showAnswer(answer);
  }

  async browse(signal, known = []) {
    const { filters } = this.place;
    const part = await readVideos(filters, this.limit, known, signal);
    if (signal.aborted) return;
    this.trouble.clear();
    this.answer = null;
    this.part = part;
    showTerms(find("terms"), null);
    this.cards.show(part.moments);
    this.near.show([]);
    find("title").textContent = "Your footage";
    this.showExample("");
    find("nothing").hidden = true;
    find("unsure").textContent = "";
    find("near").hidden = find("near-more").hidden = true;
    find("select-all").hidden = true;
    find("more").hidden = this.limit >= part.all;
    this.showLibrary();
  }

  /** More of the same: of an answer as much as the service gives at once, of a library a part. */
  async more() {
    if (isAsking(this.place)) return this.ask(this.place, this.quick, MOST);
    const before = this.cards.moments.length;
    await this.ask(this.place, this.quick, this.limit + PART, this.part.moments);
    // The last part takes the button away, and with it the keyboard's place on the page.
    if (find("more").hidden) this.cards.focus(this.cards.keyAt(before));
  }

  /** Footage came in: a library that is being browsed grows; an answer stays as it was read. */
  refresh() {
    if (this.place && !isAsking(this.place)) this.again();
  }

  setLibrary(status) {
    this.library = status;
    if (this.place && !isAsking(this.place)) this.showLibrary();
  }

  showLibrary() {
    const { library } = this;
    if (!library || isAsking(this.place)) return;
    const empty = library.videos === 0 && this.cards.moments.length === 0;
    const narrowed = isNarrowed(this.place.filters);
    const none = narrowed && this.part?.all === 0;
    find("count").textContent = empty || !this.part ? "" : libraryWords(library, this.part, narrowed);
    find("nothing").hidden = !empty && !none;
    find("add-first").hidden = !empty;
    find("filters-clear").hidden = empty || !none;
    find("near-toggle").hidden = true;
    if (!empty && none) find("nothing-words").textContent = "No video is left by these filters.";
    if (!empty) return;
    const busy = library.indexing.state !== "idle";
    find("add-first").hidden = busy;
    find("title").textContent = busy ? "Looking through your footage" : "Nothing is indexed yet";
    find("nothing-words").textContent = busy
      ? "The first videos appear here as soon as they can be searched."
      : "Name a folder with videos. They stay where they are, and nothing leaves this machine.";
  }

  /** Nothing: what was asked for can't be, and what was shown answers something else. */
  showNone(place) {
    this.answer = null;
    showTerms(find("terms"), null);
    this.cards.show([]);
    this.near.show([]);
    find("title").textContent = name(place.query || place.saved || "More like this");
    find("count").textContent = find("unsure").textContent = "";
    find("nothing").hidden = find("near").hidden = find("near-more").hidden = true;
    find("select-all").hidden = find("more").hidden = true;
  }

  showAnswer(answer) {
    if (answer.query !== this.answer?.query || answer.like !== this.answer?.like) scrollTo({ top: 0 });
    this.answer = answer;
    const found = answer.moments.length;
    showTerms(find("terms"), answer);
    this.cards.show(answer.moments, answer.query);
    this.near.show(answer.near, answer.query);
    const thorough = this.quick ? " at a first glance. Enter looks closely" : "";
    const wanted = answer.query || "More like this";
    this.showExample(answer.like ?? "");
    find("title").textContent = found ? name(wanted) : "Nothing matches";
    find("count").textContent = found
      ? `${count(found, "moment")}${thorough}${this.quick ? "" : `, ${this.took(answer)}`}`
      : `No moment for “${name(wanted)}”${thorough}`;
    find("unsure").textContent = answer.unsure
      ? `Unsure: ${count(answer.rivals, "other video")} have a moment that is nearly as likely.`
      : "";
    find("select-all").hidden = found < 2;
    find("more").hidden = found < this.limit || this.limit >= MOST || Boolean(this.place.saved);
    find("nothing").hidden = found > 0;
    find("add-first").hidden = find("filters-clear").hidden = true;
    find("nothing-words").textContent = missingWords(answer) || (answer.near.length
      ? `Nothing in your footage is likely enough to be this: ${count(answer.held_back, "moment")} held back.`
      : "Nothing in your footage comes near this. Other words may, or fewer filters.");
    this.showNear(this.place.near);
  }

  /** Say which moment is the example; an empty text for none. */
  showExample(like) {
    const example = like && parseExample(like);
    find("example").hidden = !example;
    if (example) find("example-words").textContent = `Like ${name(example.name)}, ${span(example)}, which is left out itself`;
  }

  took(answer) {
    const seconds = answer.took_ms / 1000;
    return seconds < 0.1 ? "found at once" : `found in ${seconds.toFixed(1)} s`;
  }

  showNear(on) {
    this.place = { ...this.place, near: on }; // for more of the same
    const close = this.answer?.near.length ?? 0;
    const found = this.answer?.moments.length ?? 0;
    const words = `${on ? "Hide" : "Show"} ${close === 1 ? "the nearest miss" : `the ${close} nearest misses`}`;
    find("near").hidden = !(on && close);
    find("near-toggle").hidden = !close || found > 0 || on;
    find("near-toggle").textContent = words;
    find("near-more").hidden = !close || (found === 0 && !on);
    find("near-more").textContent = words;
  }

  /** The list that holds a moment, for leafing on from it, and where in it. */
  listOf(key) {
    for (const { moments } of [this.cards, this.near]) {
      const at = moments.findIndex((moment) => momentKey(moment) === key);
      if (at >= 0) return { list: moments, at };
    }
    return { list: [], at: -1 };
  }
}
