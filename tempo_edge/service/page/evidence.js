// What a moment was found by: pictures, or words of some kind.

const NAMES = {
  picture: "picture",
  subtitle: "subtitle",
  speech: "speech",
  screen: "words on screen",
  chapter: "chapter",
  name: "name",
};

// A line begins where a voice does: half a second before, the voice is heard from its beginning.
const LEAD_SECONDS = 0.5;

const kinds = (moment) => (moment.found_by ?? []).filter((kind) => kind in NAMES);

/** Whether words gave the moment its times. */
export const isOfWords = (moment) => (kinds(moment)[0] ?? "picture") !== "picture";

/** What it was found by, in words: `Subtitle and picture`; empty where pictures alone speak. */
export function foundBy(moment) {
  const found = kinds(moment).map((kind) => NAMES[kind]);
  if (!found.length || (found.length === 1 && !isOfWords(moment))) return "";
  const last = found.pop();
  const said = found.length ? `${found.join(", ")} and ${last}` : last;
  return said[0].toUpperCase() + said.slice(1);
}

/** The second from which it is played. */
export const cue = (moment) =>
  isOfWords(moment) ? Math.max(0, moment.start_seconds - LEAD_SECONDS) : moment.start_seconds;
