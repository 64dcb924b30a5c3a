// Dark or light: what the system says until somebody chooses.

const dark = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;

const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);

function keep(theme) {
  try {
    if (theme) localStorage.setItem("theme", theme);
    else localStorage.removeItem("theme");
  } catch {
    // Storage is off: the choice holds for this visit.
  }
}

export function wireTheme(button) {
  const name = () => button.setAttribute("aria-label", `Switch to ${isDark() ? "light" : "dark"} colours`);
  button.addEventListener("click", () => {
    const wanted = isDark() ? "light" : "dark";
    // Back at what the system says, the page follows the system again.
    const follows = (wanted === "dark") === dark.matches;
    if (follows) delete root.dataset.theme;
    else root.dataset.theme = wanted;
    keep(follows ? "" : wanted);
    name();
  });
  dark.addEventListener("change", name);
  name();
}
