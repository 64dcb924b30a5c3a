// The page: wires its parts together and goes where the address says.

import { wireAdding, wireDialogs, showSkipped } from "./dialogs.js";
import { Cards } from "./cards.js";
import { Chips } from "./chips.js";
import { Filters } from "./filters.js";
import { wireKeys } from "./keys.js";
import { Months } from "./months.js";
import {
  EMPTY, exampleOf, fault, filterCount, go, isAsking, momentKey, openedHere, parseKey, read,
} from "./place.js";
import { Pictures } from "./pictures.js";
import { Player } from "./player.js";
import { facts, Progress } from "./progress.js";
import { Results } from "./results.js";
import { SavedSearches } from "./saved.js";
import { Selection } from "./selection.js";
import { wireTheme } from "./colours.js";
import { Trouble } from "./trouble.js";

const DEBOUNCE_MS = 120;
const find = (id) => document.getElementById(id);

let place = { ...EMPTY };
// A step of the history that typing may still rename; one that was settled stays for Back.
let settled = true;
let typing;
// While the browser steps back from a moment that was closed. It does so in its own time, and what
// somebody does meanwhile is written down once it is there.
let stepsBack = false;

const selected = new Map();
const pictures = new Pictures();
const wall = {
  selected, pictures, opened: (key) => play(key), picked: () => selection.show(), liked: (moment) => more(moment),
};
const walls = [new Cards(find("cards"), wall), new Cards(find("near-cards"), wall)];
walls[0].above(walls[1]);
const chips = new Chips(find("chips"), { removed: (without) => turn(without(place)), left: () => find("query").focus() });
const trouble = new Trouble(() => {
  pictures.again();
  progress.start();
  results.refresh(); // the library may be another one now
  months.show(place.filters, true);
});
const results = new Results({ cards: walls[0], near: walls[1], chips, trouble, grown: resume });
const selection = new Selection(selected, {
  changed: () => walls.forEach((cards) => cards.tick()),
  failed: (error) => trouble.show(error, () => selection.export()),
});
const progress = new Progress({
  status(answer) {
    facts(answer);
    results.setLibrary(answer);
    player.ways.setPlayer(answer.player);
    document.body.dataset.right = answer.right;
    document.body.dataset.afar = String(answer.address === null);
  },
  changed() {
    results.refresh();
    months.show(place.filters, true);
    saved.refresh();
  },
  failed: (error) => trouble.show(error),
});
const filters = new Filters((set) => {
  if (place.saved) {
    place = { ...place, ...results.typed(place) };
    find("query").value = place.query;
  }
  place = { ...place, filters: set, saved: "" };
  move();
  search();
});
const months = new Months((month) => filters.change({ since: month, until: month }));
const saved = new SavedSearches((there, called) => {
  clearTimeout(typing);
  place = there ?? { ...EMPTY, saved: called };
  settled = true;
  filters.set(place.filters);
  find("query").value = place.query;
  move();
  search();
  find("results").focus();
});
const player = new Player({ moved: played });

function move(replace = false) {
  if (!stepsBack) go(place, { replace });
  entitle();
}

function entitle() {
  saved.at(place);
  const asked = place.query || place.saved || (place.like && "More like this");
  document.title = asked ? `${asked} · tempo-edge` : "tempo-edge";
}

/** Ask for what the place says: quickly while somebody types, thoroughly otherwise. */
function search(quick = false) {
  const wrong = fault(place.filters);
  if (wrong) {
    results.stop();
    results.showAsked(place);
    trouble.say(wrong);
    return Promise.resolve();
  }
  months.show(place.filters);
  if (!isAsking(place) && results.library) progress.refresh(); // the totals belong to the videos
  return results.ask(place, quick);
}

function typed() {
  clearTimeout(typing);
  typing = setTimeout(() => {
    const query = find("query").value.trim();
    if (query === place.query) return;
    place = { ...place, query, saved: "", play: "" };
    move(!settled);
    settled = false;
    search(true);
  }, DEBOUNCE_MS);
}

function submitted(event) {
  event.preventDefault();
  clearTimeout(typing);
  const query = find("query").value.trim();
  place = { ...place, query, saved: query ? "" : place.saved, play: "" };
  move(!settled);
  settled = true;
  search();
}

/** Ask for what a place says, in place of what is asked for now. */
function turn(other) {
  clearTimeout(typing);
  place = { ...other, saved: "", play: "" };
  find("query").value = place.query;
  filters.set(place.filters);
  move();
  settled = true;
  search();
}

/** Ask for more like a moment, without words. */
function more(moment) {
  turn({ ...place, query: "", like: exampleOf(moment) });
  find("results").focus();
}

function play(key) {
  const { list, at } = results.listOf(key);
  if (at < 0) return;
  clearTimeout(typing); // what was typed just now waits until the player closes
  const closing = place.play !== "";
  place = { ...place, play: key };
  move(closing);
  player.show(list, at, results.words);
}

/** The player went on to another moment, or closed. */
function played(key) {
  if (key) {
    place = { ...place, play: key };
    move(true);
    return;
  }
  const last = place.play;
  if (!last) return;
  place = { ...place, play: "" };
  if (!stepsBack && openedHere()) {
    stepsBack = true;
    history.back();
  } else move(true);
  if (!walls.some((cards) => cards.focus(last))) find("query").focus();
  typed();
}

/** Play what the address names, once the answer that holds it is there. */
function resume() {
  if (!place.play || player.open) return;
  const { list, at } = results.listOf(place.play);
  if (at >= 0) {
    player.show(list, at, results.words);
    return;
  }
  const moment = parseKey(place.play);
  if (moment) player.show([{ ...moment, name: `Video ${moment.video}`, online: true }], 0, place.query);
}

/** The address changed under us: by Back, a link or by hand. */
function arrived() {
  settled = true;
  if (stepsBack) {
    stepsBack = false;
    move();
    return;
  }
  const before = place;
  place = read();
  find("query").value = place.query;
  filters.set(place.filters);
  entitle();
  if (!place.play && player.open) player.dialog.close();
  const same = place.query === before.query && place.like === before.like && place.saved === before.saved
    && JSON.stringify(place.filters) === JSON.stringify(before.filters);
  if (same) resume();
  else search().then(resume);
}

function escaped(event) {
  if (selected.size) selection.clear();
  else if (event.target === find("query")) {
    event.preventDefault(); // the browser would empty the box: its words are kept
    walls.some((cards) => cards.focus());
  } else document.activeElement?.blur();
}

function wire() {
  find("search").addEventListener("submit", submitted);
  find("query").addEventListener("input", typed);
  find("query").addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" && walls.some((cards) => cards.focus())) event.preventDefault();
  });
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault(); // the address's hash holds the search
    find("results").focus();
  });
  find("more").addEventListener("click", () => results.more());
  find("select-all").addEventListener("click", () => {
    for (const moment of walls[0].moments) selected.set(momentKey(moment), moment);
    walls[0].tick();
    selection.show();
  });
  find("help").addEventListener("click", () => find("keys").showModal());
  find("skipped-open").addEventListener("click", showSkipped);
  find("add-open").addEventListener("click", () => find("add").showModal());
  for (const form of document.querySelectorAll("form.add:has([name=path])")) {
    wireAdding(form, () => progress.refresh());
  }
  addEventListener("popstate", arrived);
  wireDialogs();
  wireTheme(find("theme"));
  wireKeys({
    "/": () => find("query").select(),
    "?": () => find("keys").showModal(),
    f: () => {
      filters.open(find("filters").hidden);
      if (!find("filters").hidden) find("within").focus();
    },
    // On a card that nothing is below, it stays there.
    ArrowDown: (event) => event.target.closest(".card") ?? walls.some((cards) => cards.focus()),
    Escape: escaped,
  });
}

wire();
place = read();
find("query").value = place.query;
filters.set(place.filters);
// On a telephone the form would push the answer out of sight; chips say what is set.
filters.open(filterCount(place.filters) > 0 && !matchMedia("(max-width: 560px)").matches);
move(true);
search().then(resume);
progress.start();
saved.refresh();
if (matchMedia("(pointer: fine)").matches && !place.play) find("query").focus();
