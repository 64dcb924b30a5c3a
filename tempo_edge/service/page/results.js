// The answer on the page: a library to browse, or moments, and below them what is not sure.

import { asked, missingWords, typedOf, wanted } from "./asked.js";
import { folderNames } from "./folder_names.js";
import { libraryWords, readVideos } from "./library.js";
import { filterCount, isAsking, isNarrowed, momentKey, parameters } from "./place.js";
import { ask, client } from "./service.js";
import { count, name } from "./words.js";

const LIMIT = 24;
const MOST = 100;
// Videos that are shown more of a library at a time.
const PART = 96;
const BUSY_MS = 200;

const find = (id) => document.getElementById(id);

/** Why an answer may not be what it seems, in words. */
function doubts(answer) {
  const said = [];
  if (answer.unsure) {
    said.push(`Take these with care: ${count(answer.rivals, "other video")} fit nearly as well.`);
  }
  if (answer.unknown_count) {
    said.push(`${count(answer.unknown_count, "video")} left out: nothing tells when, where or by what camera they were taken.`);
  }
  return said.join(" ");
}

export class Results {
  constructor({ cards, near, chips, trouble, grown }) {
    this.cards = cards;
    this.near = near;
    this.chips = chips;
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
    if (this.answer?.asked.query === place.query) this.showAsked(place); // else terms aren't known yet
    try {
      if (isAsking(place)) await this.search(signal);
      else await this.browse(signal, known);
    } catch (error) {
      if (signal.aborted || error.status === 409) return;
      this.chips.giveUp();
      if ([400, 404].includes(error.status) && !quick) this.showNone(place);
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
    const sent = { q: place.query, like: place.like, limit, client, retrieval: quick ? "1" : "", ...parameters(place.filters) };
    const answer = place.saved
      ? await ask("/v1/saved/run", { name: place.saved, client }, signal)
      : await ask("/v1/find", sent, signal);
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
    this.showAsked(this.place);
    this.cards.show(part.moments);
    this.near.show([]);
    find("title").textContent = "Your footage";
    find("nothing").hidden = true;
    find("unsure").textContent = "";
    find("near").hidden = true;
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
    this.showAsked(place);
    this.cards.show([]);
    this.near.show([]);
    const asking = place.query || place.saved || (place.like && "More like this");
    find("title").textContent = asking ? name(asking) : "Your footage";
    find("count").textContent = find("unsure").textContent = "";
    find("nothing").hidden = find("near").hidden = true;
    find("select-all").hidden = find("more").hidden = true;
  }

  showAnswer(answer) {
    if (answer.query !== this.answer?.query || answer.like !== this.answer?.like) scrollTo({ top: 0 });
    this.answer = { ...answer, asked: this.place };
    const found = answer.moments.length;
    const folders = folderNames([...answer.moments, ...answer.near].map(({ path }) => path));
    this.showAsked(this.place);
    this.cards.show(answer.moments, wanted(answer), folders);
    this.near.show(answer.near, wanted(answer), folders);
    const asking = answer.query || "More like this";
    const first = this.quick ? " in a quick search. Press Enter for a thorough one." : "";
    find("title").textContent = found ? name(asking) : "Nothing matches";
    find("count").textContent = found
      ? `${count(found, "moment")}${first || `, ${this.took(answer)}`}`
      : `No moment ${answer.query ? `for “${name(asking)}”` : "like this one"}${first}`;
    find("unsure").textContent = doubts(answer);
    find("select-all").hidden = found < 2;
    find("more").hidden = found < this.limit || this.limit >= MOST || Boolean(this.place.saved);
    find("add-first").hidden = find("filters-clear").hidden = true;
    this.showNothing(answer);
    this.showNear(answer);
  }

  /** Why nothing matches, or what may help; where something came close, that speaks for itself. */
  showNothing(answer) {
    const fewer = filterCount(this.place.filters) ? ", or fewer filters" : "";
    const other = `Nothing in your footage comes near this. Other words may find it${fewer}.`;
    const words = missingWords(answer) || (answer.near.length ? "" : other);
    find("nothing").hidden = answer.moments.length > 0 || !words;
    find("nothing-words").textContent = words;
  }

  /** What came closest and is not sure, below a line. */
  showNear({ near, held_back: all }) {
    find("near").hidden = near.length === 0;
    const few = near.length === 1 ? "This one comes" : `These ${near.length} come`;
    const of = all > near.length ? `, of ${count(all, "moment")} in all` : "";
    find("near-words").textContent = `${few} closest${of}, but may well show something else.`;
  }

  /** Chips of what is asked for; of its terms as far as the last answer is to the same question. */
  showAsked(place) {
    this.chips.show(asked(place, this.answer));
  }

  took(answer) {
    const seconds = answer.took_ms / 1000;
    return seconds < 0.1 ? "found at once" : `found in ${seconds.toFixed(1)} s`;
  }

  /** The words that are to be found, as far as there is an answer; else all that is asked for. */
  get words() {
    return this.answer ? wanted(this.answer) : this.place.query;
  }

  /** What a saved search asks, as it could be typed: a place only names it. */
  typed(place) {
    return this.answer?.asked.saved === place.saved ? typedOf(this.answer) : {};
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
