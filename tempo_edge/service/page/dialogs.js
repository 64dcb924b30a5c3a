// Dialogs: opened over the page, closed by Escape, a button or a click beside them.

import { ask, ServiceError, tell } from "./service.js";
import { count, name } from "./words.js";

const find = (id) => document.getElementById(id);
const FOCUSABLE = "a[href], button:not(:disabled), input, select, [tabindex='0']";

/** Tab goes round inside a dialog instead of leaving it for the browser's own controls. */
function keepFocus(dialog) {
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Tab") return;
    const all = [...dialog.querySelectorAll(FOCUSABLE)].filter((each) => each.checkVisibility());
    const end = event.shiftKey ? all[0] : all.at(-1);
    if (document.activeElement !== end && dialog.contains(document.activeElement)) return;
    event.preventDefault();
    (event.shiftKey ? all.at(-1) : all[0])?.focus();
  });
}

export function wireDialogs() {
  for (const dialog of document.querySelectorAll("dialog")) {
    keepFocus(dialog);
    dialog.addEventListener("click", (event) => {
      // The backdrop's clicks come to the dialog itself; those inside it to its parts.
      if (event.target === dialog) dialog.close();
    });
    dialog.querySelector("[data-close]")?.addEventListener("click", () => dialog.close());
  }
}

export async function showSkipped() {
  const list = find("skipped-list");
  const words = find("skipped-words");
  list.replaceChildren();
  words.textContent = "Looking";
  find("skipped").showModal();
  try {
    const files = await ask("/v1/skipped");
    words.textContent = files.length
      ? `${count(files.length, "file")} could not be indexed. Each is tried again when it changes.`
      : "No file was skipped.";
    list.replaceChildren(...files.map(skippedFile));
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    words.textContent = error.message;
  }
}

function skippedFile(file) {
  const item = document.createElement("li");
  const path = document.createElement("span");
  path.className = "path";
  path.dir = "auto";
  path.textContent = name(file.path);
  const reason = document.createElement("span");
  reason.className = "muted";
  reason.textContent = file.reason;
  item.append(path, reason);
  return item;
}

/** A form that takes a path to index; `started()` is told when the service took it. */
export function wireAdding(form, started) {
  const words = form.querySelector(".add-words");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const path = form.elements.path.value.trim();
    words.textContent = "";
    try {
      await tell("/v1/index", { paths: [path] });
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      words.textContent = error.message;
      return;
    }
    form.reset();
    words.textContent = `Indexing ${name(path)}`;
    started();
  });
}
