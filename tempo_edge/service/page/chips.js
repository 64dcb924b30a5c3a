// Chips under the search box: what is asked for, one by one, each with a button that takes it away.

import { made } from "./element.js";
import { picture } from "./service.js";
import { name } from "./words.js";

const WIDTH = 96;
const CROSS = "m5.5 5.5 9 9M14.5 5.5l-9 9";

export class Chips {
  /** `removed(without)` is told what makes a place ask for all but what was taken away; `left()`
   *  that the last chip was. */
  constructor(list, { removed, left }) {
    this.list = list;
    this.removed = removed;
    this.left = left;
    this.things = [];
    this.shown = "[]";
    this.waiting = []; // texts that were taken away before what asks for the others was known
    list.addEventListener("keydown", (event) => this.pressed(event));
  }

  /** Show what is asked for. Where a chip had the focus, that in its place gets it. */
  show(things) {
    this.isStale = false;
    this.draw(things);
    const waits = this.waiting.shift();
    const at = things.findIndex(({ isText, text }) => isText && text === waits);
    if (at >= 0) this.remove(at);
  }

  /** No answer comes any more that would say what asks for the rest. */
  giveUp() {
    this.isStale = false;
    this.waiting = [];
  }

  draw(things) {
    this.things = things;
    const told = JSON.stringify(things.map(({ without, ...rest }) => [rest, without !== undefined]));
    if (told === this.shown) return;
    this.shown = told;
    const at = this.buttons().indexOf(document.activeElement);
    this.list.hidden = things.length === 0;
    this.list.replaceChildren(...things.map((thing, index) => this.chip(thing, index)));
    if (at < 0) return;
    const buttons = this.buttons();
    if (buttons.length) buttons[Math.min(at, buttons.length - 1)].focus();
    else this.left();
  }

  buttons() {
    return [...this.list.querySelectorAll("button")];
  }

  chip({ kind, text, title, role, note, picture: shown, called, without }, index) {
    const chip = made("li", role === "not" ? "chip not" : "chip");
    if (title) chip.title = name(title);
    if (shown) chip.append(this.still(shown));
    const words = made("span", "chip-words");
    if (kind) words.append(made("b", "", kind), " ");
    words.append(made("bdi", "", name(text)));
    if (note) words.append(made("i", "", note));
    chip.append(words);
    if (without) {
      const button = made("button", "chip-away");
      button.type = "button";
      button.setAttribute("aria-label", `Remove ${name(called ?? [kind, text].filter(Boolean).join(" "))}`);
      button.innerHTML = `<svg viewBox="0 0 20 20" aria-hidden="true"><path d="${CROSS}"/></svg>`;
      button.addEventListener("click", () => this.remove(index));
      chip.append(button);
    }
    return chip;
  }

  still({ video, seconds }) {
    const still = made("img", "chip-still");
    still.alt = "";
    if (video === undefined || video === null) return still;
    still.src = picture(video, seconds, WIDTH);
    still.addEventListener("error", () => still.removeAttribute("src"));
    return still;
  }

  /** Take a thing away: from what is seen at once, and from what is asked for. */
  remove(index) {
    const { isText, text, without } = this.things[index];
    const isEarly = isText && this.isStale;
    this.draw(this.things.filter((_, at) => at !== index));
    if (isEarly) this.waiting.push(text);
    else {
      this.isStale ||= Boolean(isText);
      this.removed(without);
    }
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const buttons = this.buttons();
    const at = buttons.indexOf(event.target);
    if (at < 0) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (["Delete", "Backspace"].includes(event.key)) event.target.click();
    else if (step) buttons[at + step]?.focus();
    else return;
    event.preventDefault();
  }
}
