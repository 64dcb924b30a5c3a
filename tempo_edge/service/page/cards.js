// A wall of moments: a picture each, when it is, how sure the search is, what was said, and of
// which file in which folder.

import { made } from "./element.js";
import { foundBy, isOfWords } from "./evidence.js";
import { folderNames } from "./folder_names.js";
import { fill, marked, shortened } from "./lines.js";
import { partsLines, partsWords } from "./parts.js";
import { momentKey } from "./place.js";
import { Scrub } from "./scrub.js";
import { picture } from "./service.js";
import { length, name, percent, span, timestamp, unreachable } from "./words.js";

const WIDTH = 480;

/** Folders one in another, each read in its own direction. */
function folder(steps) {
  const parts = steps.flatMap((step, at) => [...(at ? ["/"] : []), made("bdi", "", name(step))]);
  return ["in ", ...(parts.length ? parts : ["/"])];
}

export class Cards {
  /** `selected` maps keys to moments; `opened`, `picked` and `liked` are told of what the user
   *  does: the last of a moment that more like it is wanted of. */
  constructor(list, { selected, pictures, opened, picked, liked }) {
    this.list = list;
    this.pictures = pictures;
    this.selected = selected;
    this.opened = opened;
    this.picked = picked;
    this.liked = liked;
    this.moments = [];
    this.nodes = new Map();
    list.addEventListener("keydown", (event) => this.pressed(event));
  }

  /** Let arrow keys lead on to another wall, below this one. */
  above(other) {
    this.below = other;
    other.upper = this;
  }

  /** Show these; one that was there already keeps its node, its picture and its focus. In lines the
   *  words of `query` are marked; `folders` has the names of their folders by path. */
  show(moments, query = "", folders = folderNames(moments.map(({ path }) => path))) {
    const kept = new Map();
    const order = moments.map((moment) => {
      const key = momentKey(moment);
      const before = this.nodes.get(key);
      // A file that came back, or went, needs a card of the other kind; so does a video that is
      // found as a whole, where the library has it.
      const same = before && Boolean(before.scrub) === moment.online && before.whole === Boolean(moment.whole);
      const node = same ? before : this.build(moment, key);
      this.describe(node, moment, query);
      node.querySelector(".folder").replaceChildren(...folder(folders.get(moment.path) ?? []));
      kept.set(key, node);
      return node;
    });
    for (const [key, node] of this.nodes) if (kept.get(key) !== node) this.leave(node);
    this.nodes = kept;
    this.moments = moments;
    const same = order.length === this.list.children.length
      && order.every((node, index) => this.list.children[index] === node);
    if (!same) this.list.replaceChildren(...order);
  }

  leave(node) {
    node.scrub?.leave();
    const still = node.querySelector(".picture");
    if (still) this.pictures.drop(still);
  }

  build(moment, key) {
    const node = made("li", "card");
    node.dataset.key = key;
    node.whole = Boolean(moment.whole);
    const pick = made("label", "pick");
    const box = made("input");
    box.type = "checkbox";
    box.addEventListener("change", () => this.pick(key, box.checked));
    pick.append(box, made("span", "unseen", `Select ${name(moment.name)} ${span(moment)}`));
    const open = made("button", "open");
    open.type = "button";
    open.addEventListener("click", () => this.opened(key));
    const frame = this.frame(moment);
    const caption = made("span", "caption");
    const parts = ["when", "sure", "said", "file clip", "by", "folder clip", "extent", "copies"];
    caption.append(...parts.map((part) => made("span", part)));
    caption.querySelector(".folder").dir = "ltr"; // a path leads from left to right, whatever its names
    open.append(frame, caption);
    node.append(pick, open);
    if (!moment.whole) node.append(this.like(moment));
    if (moment.online) node.scrub = new Scrub(frame, moment);
    node.addEventListener("focusout", () => node.scrub?.leave());
    return node;
  }

  /** The button that asks for more like a moment. */
  like(moment) {
    const button = made("button", "like", "More like this");
    button.type = "button";
    button.setAttribute("aria-label", `More like ${name(moment.name)} ${span(moment)}`);
    button.addEventListener("click", () => this.liked(moment));
    return button;
  }

  frame(moment) {
    const frame = made("span", "frame");
    if (!moment.online) {
      frame.classList.add("gone");
      frame.append(made("span", "gone-words", unreachable(moment)));
      return frame;
    }
    const still = made("img", "picture");
    still.alt = "";
    still.decoding = "async";
    still.addEventListener("load", () => {
      frame.classList.remove("gone");
      frame.classList.add("shown");
      frame.classList.toggle("tall", still.naturalHeight > still.naturalWidth);
    });
    const middle = (moment.start_seconds + moment.end_seconds) / 2;
    this.pictures.add(still, picture(moment.video, middle, WIDTH), () => {
      frame.classList.add("gone");
    });
    const leaf = made("img", "leaf");
    leaf.alt = "";
    const words = made("span", "gone-words", "No picture");
    frame.append(words, still, leaf, made("span", "leaf-mark"));
    return frame;
  }

  describe(node, moment, query) {
    const when = node.querySelector(".when");
    const sure = node.querySelector(".sure");
    const file = node.querySelector(".file");
    file.textContent = name(moment.name);
    file.dir = "auto";
    const copies = moment.copies ?? [];
    const places = [moment.path, ...copies.map((copy) => copy.path)].filter((path) => path);
    node.querySelector(".open").title = places.map(name).join("\nalso in ");
    node.querySelector(".extent").textContent = partsWords(moment);
    node.querySelector(".extent").title = partsLines(moment).join("\n");
    const also = copies.length === 1 ? "1 copy" : `${copies.length} copies`;
    node.querySelector(".copies").textContent = copies.length ? `also in ${also}` : "";
    node.querySelector("input").checked = this.selected.has(node.dataset.key);
    fill(node.querySelector(".said"), shortened(marked(moment.text ?? "", query)));
    const by = node.querySelector(".by");
    by.replaceChildren(...(foundBy(moment) ? [made("span", "unseen", "Found by "), foundBy(moment)] : []));
    node.classList.toggle("of-words", isOfWords(moment));
    if (moment.whole) {
      when.textContent = timestamp(moment.end_seconds, false);
      return;
    }
    when.textContent = span(moment);
    sure.replaceChildren(made("span", "unseen", "Confidence "), percent(moment.confidence));
    const long = length(moment.end_seconds - moment.start_seconds);
    sure.title = `${percent(moment.confidence)} likely to be what you asked for; ${long} long`;
    sure.style.setProperty("--sure", String(moment.confidence));
    sure.classList.add("metered");
  }

  pick(key, on) {
    if (on) this.selected.set(key, this.moments.find((moment) => momentKey(moment) === key));
    else this.selected.delete(key);
    const box = this.nodes.get(key)?.querySelector("input");
    if (box) box.checked = on;
    this.picked();
  }

  /** The boxes as the selection is now. */
  tick() {
    for (const [key, node] of this.nodes) {
      node.querySelector("input").checked = this.selected.has(key);
    }
  }

  /** The key of the moment at a place in the wall; undefined where there is none. */
  keyAt(index) {
    return this.list.children[index]?.dataset.key;
  }

  focus(key) {
    const node = key === undefined ? this.list.firstElementChild : this.nodes.get(key);
    const button = node?.querySelector(".open");
    button?.focus();
    return Boolean(button);
  }

  pressed(event) {
    const node = event.target.closest(".card");
    if (!node || event.ctrlKey || event.metaKey || event.altKey) return;
    const sideways = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.shiftKey && sideways) node.scrub?.step(sideways);
    else if (event.key.toLowerCase() === "x" && !event.shiftKey) {
      this.pick(node.dataset.key, !this.selected.has(node.dataset.key));
    } else if (event.shiftKey || !this.step(node, event.key)) return;
    event.preventDefault();
  }

  /** Go where an arrow key leads: to a card here, or past the edge to one of the next wall. */
  step(node, key) {
    const next = this.neighbour(node, key) ?? this.past(node, key);
    next?.querySelector(".open").focus();
    return Boolean(next);
  }

  /** The card of another wall that an arrow key leads to over the edge of this one. */
  past(node, key) {
    const column = [...this.list.children].indexOf(node) % this.columns();
    const lower = [...(this.below?.list.children ?? [])];
    const upper = [...(this.upper?.list.children ?? [])];
    if (key === "ArrowRight") return lower[0];
    if (key === "ArrowDown") return lower[Math.min(column, lower.length - 1)];
    if (key === "ArrowLeft") return upper.at(-1);
    if (key !== "ArrowUp" || !upper.length) return undefined;
    const row = Math.floor((upper.length - 1) / this.upper.columns()) * this.upper.columns();
    return upper[Math.min(row + column, upper.length - 1)];
  }

  /** The card that an arrow key leads to: the next in a row, or the one above or below. */
  neighbour(node, key) {
    const all = [...this.list.children];
    const at = all.indexOf(node);
    if (key === "Home") return all[0];
    if (key === "End") return all.at(-1);
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns(), ArrowDown: this.columns() }[key];
    if (!step || at + step < 0) return undefined;
    const lastRow = Math.floor((all.length - 1) / this.columns()) * this.columns();
    // From above the gap at the end of a row that is not full, down is the last card.
    return all[at + step] ?? (key === "ArrowDown" && at < lastRow ? all.at(-1) : undefined);
  }

  columns() {
    const all = [...this.list.children];
    const below = all.findIndex((node) => node.offsetTop > all[0].offsetTop);
    return below < 0 ? all.length : below;
  }
}
