// Searches that are saved: the present one under a name, and those that there are, to be asked again.

import { made } from "./element.js";
import { findOf, isAsking, placeOf } from "./place.js";
import { ask, drop, ServiceError, tell } from "./service.js";
import { count, name } from "./words.js";

const find = (id) => document.getElementById(id);
const SEEN = "told";

/** How many moments each search had told when it was last looked at, here. */
function seen() {
  try {
    return JSON.parse(localStorage.getItem(SEEN)) ?? {};
  } catch {
    return {}; // storage is off, or holds something else
  }
}

function see(search) {
  try {
    localStorage.setItem(SEEN, JSON.stringify({ ...seen(), [search.name]: search.told }));
  } catch {
    // Storage is off: all that was told stays new.
  }
}

const newOf = (search) => Math.max(0, search.told - (seen()[search.name] ?? 0));

function button(className, words, label, act) {
  const element = made("button", className, words);
  element.type = "button";
  if (label) element.setAttribute("aria-label", label);
  element.addEventListener("click", act);
  return element;
}

export class SavedSearches {
  /** `wanted(place)` is told where a search leads. */
  constructor(wanted) {
    this.wanted = wanted;
    this.searches = [];
    this.dialog = find("saved");
    this.form = find("save");
    find("saved-open").addEventListener("click", () => this.open());
    find("save-open").addEventListener("click", () => this.open(true));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
  }

  /** Where the page is: what may be saved. */
  at(place) {
    this.place = place;
    find("save-open").hidden = !isAsking(place) || Boolean(place.saved);
  }

  open(isSaving = false) {
    this.form.hidden = find("save-open").hidden;
    this.form.elements.name.value = name(this.place.query || "").slice(0, 100);
    find("save-words").textContent = "";
    this.dialog.showModal();
    if (isSaving) this.form.elements.name.select();
    this.refresh();
  }

  async refresh() {
    try {
      this.searches = await ask("/v1/saved");
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      find("saved-words").textContent = error.message;
      return;
    }
    this.show();
  }

  show() {
    const fresh = this.searches.reduce((sum, search) => sum + newOf(search), 0);
    find("saved-new").textContent = String(fresh);
    find("saved-new").hidden = fresh === 0;
    find("saved-open").setAttribute("aria-label", fresh ? `Saved searches, ${fresh} new` : "Saved searches");
    // Drawn anew only where something is: a question that somebody is at stays.
    const drawn = JSON.stringify(this.searches.map((search) => [search, newOf(search)]));
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      find("saved-list").replaceChildren(...this.searches.map((search) => this.item(search)));
    }
    find("saved-words").textContent = this.searches.length
      ? "New footage that matches is told as it comes in, by tempo-edge serve or watch."
      : "None yet. Search for something, and save it: new footage that matches is then told.";
  }

  item(search) {
    const item = made("li");
    const called = button("saved-ask", undefined, undefined, () => this.again(search));
    const title = made("strong", "", name(search.name));
    title.dir = "auto";
    const asked = made("span", "muted clip", name(search.query));
    asked.dir = "auto";
    called.append(title, ...(search.query === search.name ? [] : [asked]));
    const fresh = newOf(search);
    const does = [
      ...(fresh ? [`${fresh} new`] : []),
      search.told ? `${search.told} told` : "nothing told yet",
      ...(search.notify ? ["on the desktop"] : []),
      ...(search.webhook ? ["webhook"] : []),
      ...(search.runs_command ? ["runs a command"] : []),
      ...(search.own ? [] : ["saved elsewhere: told here by a line alone"]),
    ];
    const told = made("span", fresh ? "saved-told fresh" : "saved-told", does.join(" · "));
    const remove = button("quiet changes", "Remove", `Remove ${name(search.name)}`, () => this.confirm(item, search));
    item.append(called, told, remove);
    return item;
  }

  /** Ask before a search goes: what it has told goes with it. */
  confirm(item, search) {
    const words = made("span", "saved-told", `Remove ${name(search.name)}, and what it told?`);
    const yes = button("solid", "Remove", `Yes, remove ${name(search.name)}`, () => this.remove(search));
    const no = button("quiet", "Keep", `Keep ${name(search.name)}`, () => {
      const before = this.item(search);
      item.replaceWith(before);
      before.lastElementChild.focus();
    });
    item.replaceChildren(words, no, yes);
    item.classList.add("sure-of");
    no.focus();
  }

  async remove(search) {
    try {
      await drop("/v1/saved", { name: search.name });
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      find("saved-words").textContent = error.message;
      return;
    }
    await this.refresh();
    (find("saved-list").querySelector("button") ?? this.dialog.querySelector("[data-close]")).focus();
  }

  again(search) {
    see(search);
    this.show();
    this.dialog.close();
    this.wanted(search.find && placeOf(search.find), search.name);
  }

  async save() {
    const { name: box, notify } = this.form.elements;
    const words = find("save-words");
    words.textContent = "";
    try {
      await tell("/v1/saved", { name: box.value.trim(), notify: notify.checked, find: findOf(this.place) });
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      words.textContent = error.message;
      return;
    }
    words.textContent = `Saved as ${name(box.value.trim())}.`;
    notify.checked = false;
    await this.refresh();
  }
}
