// The filters' form, and the folders, places and cameras that it proposes.

import { filterCount, isCheck, noFilters } from "./place.js";
import { ask, ServiceError } from "./service.js";

const find = (id) => document.getElementById(id);
const VIDEOS = 500;
const FOLDERS = 200;

// Where each kind of proposal comes from in a video.
const PROPOSED = { places: "place", cameras: "camera" };

/** Folders above some paths, each once, those with more videos first. */
export function folders(paths) {
  const held = new Map();
  for (const path of paths) {
    for (let cut = path.lastIndexOf("/"); cut > 0; cut = path.lastIndexOf("/", cut - 1)) {
      const folder = path.slice(0, cut);
      if (/^[A-Z]:$/.test(folder)) break; // a drive of Windows is no folder without its slash
      held.set(folder, (held.get(folder) ?? 0) + 1);
    }
  }
  const all = [...held.entries()];
  // A folder whose only content is one other folder says nothing that the inner one doesn't.
  const telling = all.filter(
    ([folder, size]) =>
      !all.some(([other, same]) => same === size && other.startsWith(`${folder}/`)),
  );
  telling.sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
  return telling.slice(0, FOLDERS).map(([folder]) => folder);
}

export class Filters {
  /** `changed(filters)` is told when the user sets some. */
  constructor(changed) {
    this.form = find("filters");
    this.changed = changed;
    this.form.addEventListener("change", () => this.tell());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.tell();
    });
    this.form.addEventListener("reset", (event) => {
      event.preventDefault();
      this.set(noFilters());
      this.tell();
    });
    find("filter-toggle").addEventListener("click", () => this.open(this.form.hidden));
    find("filters-clear").addEventListener("click", () => this.form.reset());
  }

  /** Set some of them, as if somebody had in the form. */
  change(some) {
    this.set({ ...this.get(), ...some });
    this.tell();
  }

  tell() {
    this.mark();
    this.changed(this.get());
  }

  get() {
    const { elements } = this.form;
    const filters = noFilters();
    for (const key of Object.keys(filters)) {
      filters[key] = isCheck(key) ? elements[key].checked : elements[key].value.trim();
    }
    return filters;
  }

  set(filters) {
    const { elements } = this.form;
    for (const [key, value] of Object.entries(filters)) {
      elements[key][isCheck(key) ? "checked" : "value"] = value;
    }
    this.mark();
  }

  mark() {
    const set = filterCount(this.get());
    find("filter-count").textContent = String(set);
    find("filter-count").hidden = set === 0;
    find("filter-toggle").setAttribute("aria-label", set ? `Filters, ${set} set` : "Filters");
  }

  open(on) {
    this.form.hidden = !on;
    find("filter-toggle").setAttribute("aria-expanded", String(on));
    if (on) this.propose();
  }

  async propose() {
    if (find("folders").children.length) return;
    try {
      const videos = await ask("/v1/videos", { limit: VIDEOS });
      const fill = (id, texts) => find(id).replaceChildren(...texts.map((text) => new Option(text)));
      fill("folders", folders(videos.map((video) => video.path)));
      for (const [id, fact] of Object.entries(PROPOSED)) {
        fill(id, [...new Set(videos.map((video) => video[fact]))].filter(Boolean).sort());
      }
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error; // a folder can be typed just as well
    }
  }
}
