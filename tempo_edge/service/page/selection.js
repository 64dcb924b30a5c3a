// The moments that are ticked, and their way out into another program.

import { download, save, ServiceError } from "./service.js";
import { count } from "./words.js";

const find = (id) => document.getElementById(id);
// Long before a request line becomes too long for a server.
const MOST = 300;

/** To the microsecond: a boundary between two pictures stays on its side. */
const exactly = ({ video, start_seconds: start, end_seconds: end }) =>
  `${video}:${start.toFixed(6)}-${end.toFixed(6)}`;

export class Selection {
  /** `moments` is the map of what is ticked; `changed()` is told when it was emptied here. */
  constructor(moments, { changed, failed }) {
    this.moments = moments;
    this.changed = changed;
    this.failed = failed;
    this.form = find("selection");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.export();
    });
    this.form.addEventListener("reset", () => this.clear());
  }

  show() {
    const size = this.moments.size;
    this.form.hidden = size === 0;
    document.body.classList.toggle("selecting", size > 0);
    find("selection-count").textContent = size ? `${count(size, "moment")} selected` : "";
    find("export").disabled = size > MOST;
    find("export").title = size > MOST ? `At most ${MOST} at once` : "";
  }

  /** The format that is chosen; projects of LosslessCut are of one video each, several go in a ZIP. */
  format() {
    const chosen = find("format").value;
    const videos = new Set([...this.moments.values()].map(({ video }) => video));
    return chosen === "llc" && videos.size > 1 ? "zip" : chosen;
  }

  clear() {
    this.moments.clear();
    this.show();
    this.changed();
  }

  async export() {
    const format = this.format();
    find("export").disabled = true;
    try {
      const file = await download("/v1/export", {
        format,
        moment: [...this.moments.values()].map(exactly),
      });
      save(file, `moments.${format}`);
      const said = [`${count(this.moments.size, "moment")} selected`, ...file.remarks];
      find("selection-count").textContent = said.join(" · ");
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      this.failed(error);
    } finally {
      find("export").disabled = false;
    }
  }
}
