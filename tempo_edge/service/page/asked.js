// What is asked for, thing by thing: the terms that the service understood, words that must be there
// to the letter, the example, and the filters. Each makes of a place one that asks for all but itself.

import { quotedIn } from "./lines.js";
import { filtersSet, parseExample, withoutFilter } from "./place.js";
import { baseName, name, span, timestamp } from "./words.js";

/** How each filter is said: what kind it is, and its value. */
const FILTERS = {
  within: (path) => ({ kind: "in", text: baseName(path.replace(/\/+$/, "")) || path, title: path, called: `folder ${path}` }),
  by: (by) => ({ kind: "found by", text: { said: "what is said", shown: "words on screen", seen: "what is seen" }[by] }),
  since: (when) => ({ kind: "taken from", text: when }),
  until: (when) => ({ kind: "taken until", text: when }),
  place: (town) => ({ kind: "near", text: town, called: `place ${town}` }),
  camera: (words) => ({ kind: "camera", text: words }),
  size: (side) => ({ kind: "at least", text: side, called: `pictures of at least ${side}` }),
  sort: (order) => ({ kind: "in order of", text: order }),
  min_minutes: (minutes) => ({ kind: "at least", text: `${minutes} min`, called: `videos of at least ${minutes} minutes` }),
  max_minutes: (minutes) => ({ kind: "at most", text: `${minutes} min`, called: `videos of at most ${minutes} minutes` }),
  near_seconds: (seconds) => ({ kind: "AND", text: `within ${seconds} s` }),
  then_seconds: (seconds) => ({ kind: "THEN", text: `within ${seconds} s` }),
  offline: () => ({ kind: "only", text: "connected drives" }),
  parts: () => ({ kind: "", text: "split at cuts" }),
};

// Two ends of one time; where both are the same it is that time.
const ENDS = ["since", "until"];

/** What a form says of a filter that is not named above. */
function labelled(key, value) {
  const label = document.querySelector(`#filters [name="${key}"]`)?.labels?.[0]?.textContent ?? key;
  return { kind: label.trim().toLowerCase(), text: typeof value === "boolean" ? (value ? "yes" : "no") : value };
}

/** The things that a place asks for. What was understood of it an answer says, which knows by
 *  `asked` for what place it was given; null without any. */
export function asked(place, answer) {
  return [...said(place, answer), ...example(place, answer), ...filters(place)];
}

function said(place, answer) {
  if (!answer || answer.asked.query !== place.query) return [];
  if (!answer.understood) return quoted(place);
  const missing = new Set(answer.missing ?? []);
  return answer.understood.map(({ text, role, rest }, index) => ({
    kind: role === "find" ? "" : role.toUpperCase(),
    text,
    role,
    note: missing.has(text) ? "no sure match" : "",
    // A saved search is asked as it was saved: whoever wants it otherwise asks for something else.
    without: typeof rest === "string" && !place.saved ? (now) => ({ ...now, query: rest }) : undefined,
    isText: true,
  }));
}

/** Words to the letter in a query of one term. */
const quoted = (place) =>
  quotedIn(place.query).map(({ start, end, words }) => ({
    kind: "exactly",
    text: `“${words}”`,
    without: (now) => ({
      ...now,
      query: `${place.query.slice(0, start)} ${place.query.slice(end)}`.replace(/\s+/gu, " ").trim(),
    }),
    isText: true,
  }));

function example(place, answer) {
  const like = place.like && parseExample(place.like);
  if (!like) return [];
  const when = like.end_seconds === undefined ? timestamp(like.start_seconds) : span(like);
  const video = answer?.asked.like === place.like ? answer.like_video : like.video;
  return [{
    kind: "like",
    text: `${name(like.name)}, ${when}`,
    title: "More like this moment. The moment itself is left out.",
    picture: { video, seconds: (like.start_seconds + (like.end_seconds ?? like.start_seconds)) / 2 },
    without: (now) => ({ ...now, like: "" }),
  }];
}

function filters({ filters: set }) {
  const without = (...keys) => (now) => ({ ...now, filters: keys.reduce(withoutFilter, now.filters) });
  const isOneTime = Boolean(set.since) && set.since === set.until;
  const others = filtersSet(set).filter((key) => !(isOneTime && ENDS.includes(key)));
  return [
    ...(isOneTime ? [{ kind: "taken", text: set.since, without: without(...ENDS) }] : []),
    ...others.map((key) => ({
      ...(FILTERS[key]?.(set[key]) ?? labelled(key, set[key])),
      without: without(key),
    })),
  ];
}

/** What an answer was given for, as it could be typed: `{query, like}`. */
export function typedOf({ query, like, understood }) {
  const terms = understood?.map(({ text, role }) => (role === "find" ? text : `${role.toUpperCase()} ${text}`));
  return { query: terms ? terms.join(" ") : query, like: parseExample(like ?? "") ? like : "" };
}

/** What of an answer's query is to be there: the words that are marked, and that a curve is for. */
export const wanted = (answer) =>
  answer.understood
    ? answer.understood.filter(({ role }) => role !== "not").map(({ text }) => text).join(" ")
    : answer.query;

/** Why nothing matches, where some of the terms are not found for sure; else empty. */
export function missingWords(answer) {
  const each = (answer.missing ?? []).map((text) => `“${text}”`);
  const all = each.length > 1 ? `${each.slice(0, -1).join(", ")} or ${each.at(-1)}` : each[0];
  return all ? `No moment is surely ${all}, so none can be all that you asked for.` : "";
}
