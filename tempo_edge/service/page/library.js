// The library as it is browsed: videos part by part, as many as the filters leave.

import { scope } from "./place.js";
import { askPart } from "./service.js";
import { count, length } from "./words.js";

const AT_ONCE = 500;

const numbers = new Intl.NumberFormat("en");

/** A whole video as a moment. */
const asMoment = (video) => ({
  video: video.id,
  path: video.path,
  name: video.name,
  start_seconds: 0,
  end_seconds: video.duration_seconds,
  online: video.online,
  whole: true,
});

/** The first `most` videos that filters leave, as moments, each once.
 *  `known` are those of them that are there already. */
export async function readVideos(filters, most, known, signal) {
  const found = new Map(known.map((moment) => [moment.video, moment]));
  for (let offset = known.length; ; ) {
    const limit = Math.min(AT_ONCE, most - offset);
    const asked = { ...scope(filters), sort: filters.sort, limit, offset };
    const { items, count: all, unknown } = await askPart("/v1/videos", asked, signal);
    for (const video of items) found.set(video.id, asMoment(video));
    offset += limit;
    if (items.length < limit || offset >= most) return { moments: [...found.values()], all, unknown };
  }
}

/** How much there is, and how much of it the filters leave. */
export function libraryWords(library, { all, unknown }, narrowed) {
  if (!narrowed) return `${count(library.videos, "video")}, ${length(library.hours * 3600)}`;
  const doubt = unknown
    ? ` ${numbers.format(unknown)} more ${unknown === 1 ? "is left out: its" : "are left out: their"} date, place or camera isn’t known.`
    : "";
  return `${numbers.format(all)} of ${count(library.videos, "video")}.${doubt}`;
}
