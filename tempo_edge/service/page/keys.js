// Keys that work anywhere on the page; a wall of moments and the player have their own.

const typing = (target) =>
  target.closest("select, textarea, [contenteditable]") !== null ||
  (target.matches("input") && !["checkbox", "button"].includes(target.type));

/** `acts` gives what each key does; none of them works while a dialog is open. */
export function wireKeys(acts) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") {
      acts.Escape(event);
      return;
    }
    if (typing(event.target)) return;
    const act = acts[event.key.length > 1 ? event.key : event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act(event);
  });
}
