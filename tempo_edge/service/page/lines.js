// Lines of words, in which the words of a query are marked. They are text, whatever they hold.

import { name } from "./words.js";

// As the search reads a query: what is quoted is wanted in a row, of the rest each word.
const QUOTED = /"([^"]*)"|“([^”]*)”|„([^“”]*)[“”]|«([^»]*)»|「([^」]*)」/gu;
const WORD = /[\p{L}\p{M}\p{N}]+/gu;
const MOST_WORDS = 16;

// Scripts without spaces between words: there, letters in a row are wanted.
const UNSPACED =
  /[\u0e00-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9d\u{20000}-\u{3ffff}]/u;

// Words that are marked beside others only, as single letters are: alone they say nothing.
const LITTLE = new Set("a an and at by for from in is it of on or the to with".split(" "));

// Of a line whose first mark is further in than this, so much is shown before it.
const FAR_LETTERS = 56;
const BEFORE_LETTERS = 28;

const folded = (text) => text.normalize("NFD").replace(/\p{Mn}/gu, "").toLowerCase();

const wordsOf = (text) =>
  Array.from(text.matchAll(WORD), (found) => ({
    start: found.index,
    end: found.index + found[0].length,
    word: folded(found[0]),
  }));

/** What a query has in quotes: `{start, end, words}`, in order; empty ones say nothing. */
export const quotedIn = (query) =>
  Array.from(query.matchAll(QUOTED), (found) => ({
    start: found.index,
    end: found.index + found[0].length,
    words: (found.slice(1).find(Boolean) ?? "").trim(),
  })).filter(({ words }) => words);

/** What a query wants: rows of words, and letters in a row. */
function wanted(query) {
  const quoted = Array.from(query.matchAll(QUOTED), (found) => found.slice(1).find(Boolean) ?? "");
  const rest = query.replace(QUOTED, " ").split(/\s+/u);
  const letters = [...quoted, ...rest]
    .filter((part) => UNSPACED.test(part))
    .map((part) => part.replace(/^[ ,.?!;:。、？！]+|[ ,.?!;:。、？！]+$/gu, "").toLowerCase());
  const spaced = (part) => !UNSPACED.test(part);
  const rows = [
    ...quoted.filter(spaced),
    ...rest.filter(spaced).flatMap((part) => part.match(WORD) ?? []),
  ].map((part) => wordsOf(part).map(({ word }) => word));
  const some = (part) => part.length > 0;
  return { rows: rows.filter(some).slice(0, MOST_WORDS), letters: letters.filter(some) };
}

/** Where a text holds what is wanted, in order: `{start, end, tells}`; some may overlap. */
function places(text, { rows, letters }) {
  const words = wordsOf(text);
  const found = [];
  for (const row of rows) {
    const tells = row.length > 1 || !(LITTLE.has(row[0]) || row[0].length < 2);
    for (let at = 0; at + row.length <= words.length; at += 1) {
      if (row.every((word, index) => words[at + index].word === word)) {
        found.push({ start: words[at].start, end: words[at + row.length - 1].end, tells });
      }
    }
  }
  const small = text.toLowerCase();
  for (const part of small.length === text.length ? letters : []) {
    for (let at = small.indexOf(part); at >= 0; at = small.indexOf(part, at + part.length)) {
      found.push({ start: at, end: at + part.length, tells: true });
    }
  }
  return found.sort((a, b) => a.start - b.start || a.end - b.end);
}

/** Whether what begins there is the rest of a word, as the t of can't. */
const isRest = (text, start) => /\p{L}['’]$/u.test(text.slice(0, start));

/** Places with nothing but spaces and signs between them as one. */
function joined(text, found) {
  const whole = [];
  for (const place of found) {
    const last = whole.at(-1);
    if (last && !/[\p{L}\p{N}]/u.test(text.slice(last.end, place.start))) {
      last.end = Math.max(last.end, place.end);
      last.tells ||= place.tells;
    } else if (place.tells || !isRest(text, place.start)) whole.push({ ...place });
  }
  return whole.some(({ tells }) => tells) ? whole.filter(({ tells }) => tells) : whole;
}

/** A line in parts, `{text, marked}`, one after another. */
export function marked(line, query) {
  const text = name(line);
  const parts = [];
  let done = 0;
  for (const { start, end } of joined(text, places(text, wanted(query)))) {
    if (start > done) parts.push({ text: text.slice(done, start), marked: false });
    parts.push({ text: text.slice(start, end), marked: true });
    done = end;
  }
  if (done < text.length) parts.push({ text: text.slice(done), marked: false });
  return parts;
}

/** The parts from shortly before the first mark on, where that is far into the line. */
export function shortened(parts) {
  const [first, ...others] = parts;
  if (!first || first.marked || !others.length || first.text.length <= FAR_LETTERS) return parts;
  const near = first.text.slice(-BEFORE_LETTERS);
  // From a word's beginning; where there is none, from a letter's: half of a pair is no letter.
  const text = /\s\S/u.test(near) ? near.replace(/^\S*\s+/u, "") : near.replace(/^[\udc00-\udfff]/, "");
  return [{ text: `… ${text}`, marked: false }, ...others];
}

/** Fill an element with parts of a line. */
export function fill(element, parts) {
  const nodes = parts.map(({ text, marked: isMarked }) => {
    if (!isMarked) return document.createTextNode(text);
    const mark = document.createElement("mark");
    mark.textContent = text;
    return mark;
  });
  element.replaceChildren(...nodes);
  element.dir = "auto";
}
