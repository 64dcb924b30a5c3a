// The line under a video: its moment, how much the picture changes, how well the query fits.

import { timestamp } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 1000;
const HEIGHT = 100;
const COLUMNS = 500;
// Rows of parts that a number still fits into.
const MOST_NUMBERED = 3;

const shape = (tag, className) => {
  const element = document.createElementNS(SVG, tag);
  element.setAttribute("class", className);
  return element;
};

/** Values to [0, 1] by the range that they have themselves; flat ones to 0. */
function spread(values, floor) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  low = floor ?? low;
  return values.map((value) => (high > low ? Math.max(0, (value - low) / (high - low)) : 0));
}

/** The largest value in each of some columns of `[first, last)`; what no frame covers is 0. */
export function columns(edges, values, first, last) {
  const width = (last - first) / COLUMNS;
  const found = new Array(COLUMNS).fill(0);
  values.forEach((value, index) => {
    const from = edges[index];
    const until = edges[index + 1] ?? last;
    if (until <= first || from >= last) return;
    const start = Math.max(0, Math.floor((from - first) / width));
    const stop = Math.min(COLUMNS - 1, Math.max(start, Math.ceil((until - first) / width) - 1));
    for (let column = start; column <= stop; column += 1) {
      found[column] = Math.max(found[column], value);
    }
  });
  return found;
}

function steps(heights, share) {
  const width = WIDTH / heights.length;
  const parts = [];
  let before;
  heights.forEach((height, index) => {
    const y = (HEIGHT - height * HEIGHT * share - 1).toFixed(1);
    if (y !== before) parts.push(`${parts.length ? `H${(index * width).toFixed(1)}V` : "M0 "}${y}`);
    before = y;
  });
  return `${parts.join("")}H${WIDTH}`;
}

export class Timeline {
  /** `sought(seconds)` is called when a time is chosen, by pointer or by key. */
  constructor(element, sought) {
    this.element = element;
    this.sought = sought;
    this.build();
    this.clear();
    element.addEventListener("pointerdown", (event) => this.grabbed(event));
    element.addEventListener("pointermove", (event) => this.moved(event));
    element.addEventListener("pointerleave", () => this.ghost.classList.remove("on"));
    element.addEventListener("keydown", (event) => this.pressed(event));
  }

  build() {
    const svg = shape("svg", "curves");
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    this.variation = shape("path", "variation");
    this.similarity = shape("path", "similarity");
    svg.append(this.variation, this.similarity);
    this.moment = document.createElement("span");
    this.moment.className = "moment";
    this.head = document.createElement("span");
    this.head.className = "playhead";
    this.ghost = document.createElement("span");
    this.ghost.className = "ghost";
    this.marks = document.createElement("span");
    this.marks.className = "part-marks";
    this.marks.setAttribute("aria-hidden", "true"); // the list below the line says the same
    this.element.append(this.moment, svg, this.marks, this.ghost, this.head);
  }

  clear() {
    this.curves = { edges: [], variation: [], similarity: [] };
    this.duration = 0;
    this.first = 0;
    this.last = 1;
    this.span = null;
    this.parts = [];
    this.at = 0;
    this.draw();
  }

  setCurves(curves) {
    const { edges, variation, similarity } = curves;
    this.curves = { edges, variation: spread(variation, 0), similarity: spread(similarity) };
    this.draw();
  }

  /** What is shown: `[first, last)` of a video of some length, the moment in it or null, and what
   *  parts that has. */
  setView(first, last, duration, span, parts = []) {
    Object.assign(this, { first, last, duration, span, parts });
    this.element.setAttribute("aria-valuemax", duration.toFixed(1));
    this.draw();
  }

  share(seconds) {
    return Math.min(1, Math.max(0, (seconds - this.first) / (this.last - this.first)));
  }

  draw() {
    const { edges, variation, similarity } = this.curves;
    const drawn = (values, share) => {
      if (!values.length) return "";
      return steps(columns(edges, values, this.first, this.last), share);
    };
    const area = drawn(variation, 0.6);
    this.variation.setAttribute("d", area && `${area}V${HEIGHT}H0Z`);
    this.similarity.setAttribute("d", drawn(similarity, 0.9));
    this.moment.hidden = !this.span;
    if (this.span) this.lay(this.moment, this.span);
    this.marks.replaceChildren(...this.parts.map((part, index) => {
      const mark = document.createElement("span");
      mark.className = "part-mark";
      mark.textContent = this.parts.length > MOST_NUMBERED ? "" : String(index + 1);
      mark.style.setProperty("--rows", String(this.parts.length));
      mark.style.setProperty("--row", String(index));
      this.lay(mark, part);
      return mark;
    }));
    this.setPosition(this.at);
  }

  /** Lay an element over a span of the line. */
  lay(element, { start_seconds, end_seconds }) {
    const start = this.share(start_seconds);
    element.style.setProperty("--start", String(start));
    element.style.setProperty("--length", String(this.share(end_seconds) - start));
  }

  setPosition(seconds) {
    this.at = seconds;
    const seen = seconds >= this.first - 0.01 && seconds <= this.last + 0.01;
    this.head.classList.toggle("away", !seen);
    this.head.style.setProperty("--at", String(this.share(seconds)));
    this.element.setAttribute("aria-valuenow", seconds.toFixed(1));
    this.element.setAttribute(
      "aria-valuetext",
      `${timestamp(seconds)} of ${timestamp(this.duration)}`,
    );
  }

  secondsAt(event) {
    const box = this.element.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    return this.first + share * (this.last - this.first);
  }

  grabbed(event) {
    if (event.button !== 0) return;
    this.element.setPointerCapture(event.pointerId);
    this.sought(this.secondsAt(event));
  }

  moved(event) {
    const seconds = this.secondsAt(event);
    this.ghost.textContent = timestamp(seconds);
    this.ghost.style.setProperty("--at", String(this.share(seconds)));
    this.ghost.classList.toggle("on", event.pointerType !== "touch");
    if (event.buttons & 1 && this.element.hasPointerCapture(event.pointerId)) this.sought(seconds);
  }

  pressed(event) {
    const target = { Home: 0, End: this.duration }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    this.sought(target);
  }
}
