// What a moment was found by: pictures, or words of some kind.

const NAMES = {
  picture: "picture",
  subtitle: "subtitle",
  speech: "speech",
  screen: "words on screen",
  chapter: "chapter",
  name: "name",
};

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

/** The second from which it is played; of a link, which knows its times alone, the first. */
export const cue = (moment) => moment.cue_seconds ?? moment.start_seconds;
