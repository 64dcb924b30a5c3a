// The parts of a moment that several things were asked of: which thing is when.

import { count, name, percent, span } from "./words.js";

/** The parts that are to be there, in the order of time; none where it is one thing alone. */
export function partsOf(moment) {
  const there = (moment.parts ?? []).filter(({ role }) => role !== "not");
  return there.length > 1 ? there.sort((a, b) => a.start_seconds - b.start_seconds) : [];
}

/** How many there are, in words; empty where it is one thing alone. */
export function partsWords(moment) {
  const parts = partsOf(moment);
  return parts.length ? `in ${count(parts.length, "part")}` : "";
}

/** Each part in a line: what it is, when, and how sure. */
export const partsLines = (moment) =>
  partsOf(moment).map((part) => `${name(part.text)}, ${span(part)}, ${percent(part.confidence)} sure`);

/** Fill a list with buttons that lead to the parts; `sought(seconds)` is told where to. */
export function showParts(list, moment, sought) {
  const parts = partsOf(moment);
  list.hidden = parts.length === 0;
  list.replaceChildren(...parts.map((part, index) => {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet part-button";
    const number = document.createElement("b");
    number.textContent = String(index + 1);
    const text = document.createElement("bdi");
    text.textContent = name(part.text);
    const when = document.createElement("span");
    when.className = "muted";
    when.textContent = span(part);
    button.append(number, text, when);
    button.addEventListener("click", () => sought(part.start_seconds));
    item.append(button);
    return item;
  }));
}
