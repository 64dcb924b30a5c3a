// The time line of the library: a bar for each month in which something was taken.

import { monthOf, scope } from "./place.js";
import { ask, ServiceError } from "./service.js";
import { count, length } from "./words.js";

const find = (id) => document.getElementById(id);

// Months without anything that are left out as one gap: a clock that was never set is decades away.
const FAR = 60;
const BREAK = 3;
// Columns that a year's number takes.
const LABEL = 7;

const names = new Intl.DateTimeFormat("en", { month: "long", year: "numeric", timeZone: "UTC" });

/** A month's number in a row of all months, from `YYYY-MM`. */
const numberOf = (month) => Number(month.slice(0, 4)) * 12 + Number(month.slice(5)) - 1;
const yearOf = (number) => Math.floor(number / 12);

export function monthName(month) {
  const date = new Date(Date.UTC(2000, Number(month.slice(5)) - 1));
  date.setUTCFullYear(Number(month.slice(0, 4)));
  return names.format(date);
}

/** What a month holds, in words; what only files date is told apart. */
export function monthWords({ month, videos, seconds, by_file: byFile }) {
  const dated = `, ${byFile.videos === videos ? "all" : byFile.videos} by file date`;
  return `${monthName(month)}, ${count(videos, "video")}, ${length(seconds)}${byFile.videos ? dated : ""}`;
}

/** Where months stand in a row: `{columns, at, years}`. `at` has a column for each of them, `years` the
 *  columns where the number of a year begins. Gaps are as long as they were, but for very long ones. */
export function laidOut(months) {
  const at = [];
  const firsts = [];
  let column = 1;
  let before;
  for (const { month } of months) {
    const number = numberOf(month);
    const gap = before === undefined ? 0 : number - before;
    const isNewRun = before === undefined || gap > FAR;
    const last = column;
    column += gap > FAR ? BREAK : gap;
    if (isNewRun) firsts.push({ column, year: yearOf(number), isWhole: number % 12 === 0 });
    for (let next = yearOf(before ?? number) + 1; !isNewRun && next <= yearOf(number); next += 1) {
      firsts.push({ column: last + next * 12 - before, year: next, isWhole: true });
    }
    at.push(column);
    before = number;
  }
  // A year that was begun late gives way to the whole one after it.
  const years = firsts.filter(({ column: here, isWhole }, index) => {
    const room = (firsts[index + 1]?.column ?? Infinity) - here;
    return isWhole || room >= LABEL;
  });
  return { columns: Math.max(column, (years.at(-1)?.column ?? 1) + LABEL - 1), at, years };
}

export class Months {
  /** `chosen(month)` is told which month somebody wants, `YYYY-MM`; an empty text for all. */
  constructor(chosen) {
    this.chosen = chosen;
    this.months = [];
    this.bars = find("months-bars");
    this.bars.addEventListener("click", (event) => this.clicked(event));
    this.bars.addEventListener("keydown", (event) => this.pressed(event));
    for (const kind of ["pointerover", "focusin"]) {
      this.bars.addEventListener(kind, (event) => this.say(event.target.dataset.month));
    }
    for (const kind of ["pointerleave", "focusout"]) this.bars.addEventListener(kind, () => this.say());
    find("months-all").addEventListener("click", () => {
      this.chosen("");
      this.bars.querySelector("[tabindex='0']")?.focus(); // the button goes
    });
  }

  /** Show where filters stand, and ask anew for what they leave, whatever its time. */
  async show(filters, isFresh = false) {
    this.month = monthOf(filters);
    const { since, until, ...others } = scope(filters);
    const key = JSON.stringify(others);
    if (key === this.key && !isFresh) {
      this.mark();
      return;
    }
    const isElsewhere = key !== this.key;
    this.key = key;
    this.asking?.abort();
    const { signal } = (this.asking = new AbortController());
    try {
      const { months, unknown } = await ask("/v1/months", others, signal);
      if (!signal.aborted) this.draw(months, unknown, isElsewhere);
    } catch (error) {
      if (signal.aborted) return;
      this.key = undefined;
      if (!(error instanceof ServiceError)) throw error; // what went wrong, the answer beside says
    }
  }

  draw(months, unknown, isElsewhere) {
    const focused = document.activeElement?.dataset?.month;
    Object.assign(this, { months, unknown });
    const { columns, at, years } = laidOut(months);
    const most = Math.max(1, ...months.map(({ videos }) => videos));
    this.bars.style.setProperty("--columns", String(columns));
    this.bars.replaceChildren(
      ...months.map((month, index) => this.bar(month, at[index], most)),
      ...years.map(({ year, column }) => this.year(year, column)),
    );
    this.mark();
    if (focused) this.option(focused)?.focus({ preventScroll: true });
    const way = this.bars.parentElement;
    if (isElsewhere && !this.month) way.scrollLeft = way.scrollWidth; // what is newest is wanted most
  }

  bar(month, column, most) {
    const bar = document.createElement("button");
    bar.type = "button";
    bar.setAttribute("role", "option");
    bar.setAttribute("aria-label", monthWords(month));
    bar.dataset.month = month.month;
    bar.style.gridColumn = String(column);
    bar.style.setProperty("--high", String(month.videos / most));
    bar.style.setProperty("--sure", String(1 - month.by_file.videos / month.videos));
    return bar;
  }

  year(year, column) {
    const label = document.createElement("span");
    label.className = "year";
    label.setAttribute("aria-hidden", "true");
    label.style.gridColumn = `${column} / span ${LABEL}`;
    label.textContent = String(year);
    return label;
  }

  option(month) {
    return this.bars.querySelector(`[data-month="${month}"]`);
  }

  /** Mark the month that is chosen, and let Tab lead to it, or to the newest. */
  mark() {
    find("months").hidden = this.months.length < 2 && !this.month;
    const options = [...this.bars.querySelectorAll("[role=option]")];
    const stop = (this.month && this.option(this.month)) || options.at(-1);
    for (const option of options) {
      option.setAttribute("aria-selected", String(option.dataset.month === this.month));
      option.tabIndex = option === stop ? 0 : -1;
    }
    find("months-all").hidden = !this.month;
    if (this.month) this.reveal(this.option(this.month));
    this.say();
  }

  /** Move the strip, and not the page, to where a bar is in sight. */
  reveal(bar) {
    const way = this.bars.parentElement;
    if (!bar) return;
    const { left, right } = way.getBoundingClientRect();
    const box = bar.getBoundingClientRect();
    if (box.left < left || box.right > right) way.scrollLeft += (box.left + box.right - left - right) / 2;
  }

  /** Say what a month holds; without one what is chosen, or what the bars mean. */
  say(month = this.month) {
    const told = this.months.find((each) => each.month === month);
    const words = [];
    if (told) words.push(monthWords(told));
    else if (month) words.push(`${monthName(month)}, no video`);
    else {
      if (this.months.some(({ by_file: byFile }) => byFile.videos)) words.push("Pale: by file date alone");
      if (this.unknown?.videos) words.push(`${count(this.unknown.videos, "video")} of no known date`);
    }
    find("months-words").textContent = words.join(". ");
  }

  clicked(event) {
    const { month } = event.target.closest("[role=option]")?.dataset ?? {};
    if (month) this.chosen(month === this.month ? "" : month);
  }

  pressed(event) {
    const all = [...this.bars.querySelectorAll("[role=option]")];
    const at = all.indexOf(event.target);
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -at, End: all.length - 1 - at }[event.key];
    const leap = { PageUp: -12, PageDown: 12 }[event.key];
    let to;
    if (step !== undefined) to = all[at + step];
    else if (leap) to = this.nearest(all, numberOf(event.target.dataset.month) + leap, Math.sign(leap));
    else return;
    event.preventDefault();
    if (!to) return;
    for (const option of all) option.tabIndex = option === to ? 0 : -1;
    to.focus();
  }

  /** The month a year on, or the first one beyond it; at the ends the last one there is. */
  nearest(all, wanted, way) {
    const beyond = (option) => (numberOf(option.dataset.month) - wanted) * way >= 0;
    return way > 0 ? all.find(beyond) ?? all.at(-1) : all.findLast(beyond) ?? all[0];
  }
}
