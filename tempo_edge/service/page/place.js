// Where the page is: query, filters and the moment that plays live in the address's hash.

export const noFilters = () => ({
  within: "", by: "", since: "", until: "", place: "", camera: "", size: "",
  min_minutes: "", max_minutes: "", sort: "", near_seconds: "", then_seconds: "",
  offline: true, parts: false,
});

const USUAL = noFilters();
const FILTERS = Object.keys(USUAL);

// What may be chosen of what the service knows.
const CHOICES = { by: ["said", "shown", "seen"], size: ["720p", "1080p", "4k"], sort: ["time", "name"] };

// Names that filters had in addresses of before.
const BEFORE = { after: "since", before: "until" };

// A place that is no town: latitude, longitude, kilometres.
const AROUND = /^[-+\d.]+\s*,\s*[-+\d.]+\s*,\s*[\d.]+$/;

// Filters that find's parameters call the same.
const TEXTS = ["since", "until", "place", "camera", "size", "sort", "near_seconds", "then_seconds"];

const MONTH = /^\d{4}-\d{2}$/;

/** Whether a filter is a box to check, and not a text. */
export const isCheck = (key) => typeof USUAL[key] === "boolean";

export const EMPTY = { query: "", like: "", saved: "", filters: noFilters(), play: "" };

/** The moment's name in an address and in an export: `ID:START-END`, to the millisecond. */
export const momentKey = (moment) =>
  `${moment.video}:${moment.start_seconds.toFixed(3)}-${moment.end_seconds.toFixed(3)}`;

/** The moment as an example, `FILE@START-END`: by its number where its path is no text. */
export const exampleOf = (moment) => {
  const where = (moment.path.isWellFormed?.() ?? true) ? moment.path : moment.video;
  return `${where}@${moment.start_seconds.toFixed(3)}-${moment.end_seconds.toFixed(3)}`;
};

// A time as the service reads it, `SS`, `MM:SS` or `H:MM:SS`, each with decimals.
const TIME = "(?:\\d{1,12}:)?(?:\\d{1,12}:)?\\d{1,13}(?:\\.\\d{1,9})?";
const EXAMPLE = new RegExp(`^(.+)@(${TIME})(?:[-–](${TIME}))?$`, "s");

const seconds = (time) => time.split(":").reduce((all, part) => all * 60 + Number(part), 0);

/** An example's file and its time, to be read by people; an instant has no end. */
export function parseExample(like) {
  const [, where, start, end] = EXAMPLE.exec(like) ?? [];
  if (where === undefined) return null;
  const isNumber = /^\d{1,18}$/.test(where);
  return {
    name: isNumber ? `video ${where}` : where.slice(where.lastIndexOf("/") + 1),
    video: isNumber ? Number(where) : undefined,
    start_seconds: seconds(start),
    end_seconds: end && seconds(end),
  };
}

/** Whether a place asks for something; else the library is browsed. */
export const isAsking = (place) => Boolean(place.query || place.like || place.saved);

export function parseKey(key) {
  const parts = /^(\d+):(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(key);
  if (!parts) return null;
  const [start, end] = [Number(parts[2]), Number(parts[3])];
  return end > start ? { video: Number(parts[1]), start_seconds: start, end_seconds: end } : null;
}

export function read(hash = location.hash) {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const filters = noFilters();
  for (const [old, key] of Object.entries(BEFORE)) if (said.has(old)) filters[key] = said.get(old);
  for (const key of FILTERS) {
    if (said.has(key)) filters[key] = isCheck(key) ? said.get(key) !== "0" : said.get(key);
  }
  for (const [key, known] of Object.entries(CHOICES)) if (!known.includes(filters[key])) filters[key] = "";
  return {
    query: (said.get("q") ?? "").slice(0, 1000),
    like: parseExample(said.get("like") ?? "") ? said.get("like") : "",
    saved: said.get("saved") ?? "",
    filters,
    play: said.get("play") ?? "",
  };
}

function write(place) {
  const said = new URLSearchParams();
  if (place.query) said.set("q", place.query);
  if (place.like) said.set("like", place.like);
  if (place.saved) said.set("saved", place.saved);
  for (const key of FILTERS) {
    const value = place.filters[key];
    if (value !== USUAL[key]) said.set(key, isCheck(key) ? String(Number(value)) : value);
  }
  if (place.play) said.set("play", place.play);
  const text = said.toString();
  return text ? `#${text}` : location.pathname;
}

/** Whether the step was made by opening a moment on the page, so that Back closes it again. */
export const openedHere = () => history.state?.openedHere === true;

/** Go somewhere: a new step for Back, or the same step under a new name. */
export function go(place, { replace = false } = {}) {
  const target = write(place);
  if (target === (location.hash || location.pathname)) return;
  const state = { openedHere: Boolean(place.play) && (!replace || openedHere()) };
  history[replace ? "replaceState" : "pushState"](state, "", target);
}

/** The parameters that say which videos count, for the filters. */
export function scope(filters) {
  const ofMinutes = (minutes) => (minutes === "" ? "" : String(Number(minutes) * 60));
  return {
    within: filters.within,
    since: filters.since,
    until: filters.until,
    [AROUND.test(filters.place) ? "around" : "place"]: filters.place,
    camera: filters.camera,
    size: filters.size,
    min_seconds: ofMinutes(filters.min_minutes),
    max_seconds: ofMinutes(filters.max_minutes),
    offline: filters.offline ? "" : "0",
  };
}

/** Whether the filters leave out videos. */
export const isNarrowed = (filters) => Object.values(scope(filters)).some(Boolean);

/** Find's parameters for the filters. */
export const parameters = (filters) => ({
  ...scope(filters),
  ...(filters.by && { [filters.by]: "1" }),
  near_seconds: filters.near_seconds,
  then_seconds: filters.then_seconds,
  parts: filters.parts ? "1" : "",
  sort: filters.sort,
});

/** Find's parameters for a place, those that say something. */
export function findOf(place) {
  const all = { q: place.query, like: place.like, ...parameters(place.filters) };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value));
}

/** The place that asks what find's parameters ask; null where the page has no words for one of them. */
export function placeOf({ q = "", like = "", limit, within = "", ...find }) {
  const folders = [within].flat();
  const filters = { ...noFilters(), within: folders[0] };
  const minutes = (key) => (seconds) => { filters[key] = String(Number(seconds) / 60); };
  const known = {
    on: (when) => { filters.since = filters.until = when; },
    around: (where) => { filters.place = where; },
    min_seconds: minutes("min_minutes"),
    max_seconds: minutes("max_minutes"),
    offline: (flag) => { filters.offline = flag !== "0"; },
    parts: (flag) => { filters.parts = flag === "1"; },
    ...Object.fromEntries(CHOICES.by.map((by) => [by, () => { filters.by = filters.by ? "several" : by; }])),
    ...Object.fromEntries(
      TEXTS.map((key) => [key, (said) => { filters[key] = said; }]),
    ),
  };
  for (const [name, said] of Object.entries(find)) {
    if (!known[name]) return null;
    known[name](said);
  }
  const isKnown = Object.entries(CHOICES).every(([key, each]) => !filters[key] || each.includes(filters[key]));
  return isKnown && folders.length === 1 ? { ...EMPTY, query: q, like, filters } : null;
}

/** The month that the filters keep to, `YYYY-MM`; empty where it is none, or not one alone. */
export const monthOf = ({ since, until }) => (since === until && MONTH.test(since) ? since : "");

/** What is wrong with the filters, in words; empty when nothing is. */
export function fault(filters) {
  const { min_minutes: shortest, max_minutes: longest } = filters;
  for (const bound of [shortest, longest]) {
    if (bound !== "" && !(Number(bound) >= 0)) return `${bound} is no length in minutes.`;
  }
  for (const bound of [filters.near_seconds, filters.then_seconds]) {
    if (bound !== "" && !(Number(bound) >= 0)) return `${bound} is no time in seconds.`;
  }
  if (shortest !== "" && longest !== "" && Number(shortest) > Number(longest)) {
    return `No video is longer than ${shortest} and shorter than ${longest} minutes.`;
  }
  return "";
}

/** The filters that are set, by name. */
export const filtersSet = (filters) => FILTERS.filter((key) => filters[key] !== USUAL[key]);

/** How many filters are set: both ends of a time are one, and an order is none. */
export function filterCount(filters) {
  const set = filtersSet(filters).filter((key) => key !== "sort");
  return set.length - (filters.since && filters.until ? 1 : 0);
}

/** The filters with one of them as it usually is. */
export const withoutFilter = (filters, key) => ({ ...filters, [key]: USUAL[key] });
