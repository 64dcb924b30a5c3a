// Where the page is: query, filters and the moment that plays live in the address's hash.

export const noFilters = () => ({
  within: "", by: "", after: "", before: "", min_minutes: "", max_minutes: "", near_seconds: "",
  then_seconds: "", offline: true, parts: false,
});

const USUAL = noFilters();
const FILTERS = Object.keys(USUAL);

// What moments may be found by: as the service calls it.
const EVIDENCE = ["said", "shown", "seen"];

/** Whether a filter is a box to check, and not a text. */
export const isCheck = (key) => typeof USUAL[key] === "boolean";

export const EMPTY = { query: "", like: "", filters: noFilters(), play: "" };

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
export const isAsking = (place) => Boolean(place.query || place.like);

export function parseKey(key) {
  const parts = /^(\d+):(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(key);
  if (!parts) return null;
  const [start, end] = [Number(parts[2]), Number(parts[3])];
  return end > start ? { video: Number(parts[1]), start_seconds: start, end_seconds: end } : null;
}

export function read(hash = location.hash) {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const filters = noFilters();
  for (const key of FILTERS) {
    if (said.has(key)) filters[key] = isCheck(key) ? said.get(key) !== "0" : said.get(key);
  }
  if (!EVIDENCE.includes(filters.by)) filters.by = "";
  return {
    query: (said.get("q") ?? "").slice(0, 1000),
    like: parseExample(said.get("like") ?? "") ? said.get("like") : "",
    filters,
    play: said.get("play") ?? "",
  };
}

function write(place) {
  const said = new URLSearchParams();
  if (place.query) said.set("q", place.query);
  if (place.like) said.set("like", place.like);
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

/** The day after a day, `YYYY-MM-DD`: the service's `before` leaves out the day that it names.
 *  Empty after the last day that it knows. */
export function nextDay(day) {
  const date = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(date.getTime())) return day;
  date.setUTCDate(date.getUTCDate() + 1);
  return date.getUTCFullYear() > 9999 ? "" : date.toISOString().slice(0, 10);
}

/** Find's parameters for the filters. */
export function parameters(filters) {
  const ofMinutes = (minutes) => (minutes === "" ? "" : String(Number(minutes) * 60));
  return {
    within: filters.within,
    ...(filters.by && { [filters.by]: "1" }),
    after: filters.after,
    before: filters.before && nextDay(filters.before),
    min_seconds: ofMinutes(filters.min_minutes),
    max_seconds: ofMinutes(filters.max_minutes),
    near_seconds: filters.near_seconds,
    then_seconds: filters.then_seconds,
    offline: filters.offline ? "" : "0",
    parts: filters.parts ? "1" : "",
  };
}

/** What is wrong with the filters, in words; empty when nothing is. */
export function fault(filters) {
  const { after, before, min_minutes: shortest, max_minutes: longest } = filters;
  if (after && before && after > before) return `No day is from ${after} until ${before}.`;
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

export const filterCount = (filters) => filtersSet(filters).length;

/** The filters with one of them as it usually is. */
export const withoutFilter = (filters, key) => ({ ...filters, [key]: USUAL[key] });
