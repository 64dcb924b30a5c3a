// What went wrong, in words, and when it is tried again.

import { ask, ServiceError } from "./service.js";

const find = (id) => document.getElementById(id);
const PAUSES = [1, 2, 4, 8];

export class Trouble {
  /** `restored()` is called when a service that had gone answers again. */
  constructor(restored) {
    this.restored = restored;
    this.tries = 0;
    this.retry = null;
    find("trouble-again").addEventListener("click", () => this.again());
  }

  /** Show an error; `retry` is what "Try again" does. */
  show(error, retry) {
    if (!(error instanceof ServiceError)) throw error;
    this.retry = retry ?? this.retry;
    this.say(error.message, error.status !== 400);
    if (error.passes) this.wait();
  }

  /** Show a sentence; errors in what was asked can't be mended by asking again. */
  say(words, repeatable = false) {
    // Said once: an alert that is written anew is read out anew.
    if (find("trouble").hidden || find("trouble-words").textContent !== words) {
      find("trouble-words").textContent = words;
    }
    find("trouble-again").hidden = !repeatable;
    find("trouble").hidden = false;
  }

  clear() {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.tries = 0;
    this.retry = null; // or a later trouble would bring back what failed long ago
    find("trouble").hidden = true;
  }

  wait() {
    if (this.timer !== undefined) return;
    const pause = PAUSES[Math.min(this.tries, PAUSES.length - 1)];
    this.tries += 1;
    this.timer = setTimeout(() => this.look(), pause * 1000);
  }

  async look() {
    this.timer = undefined;
    try {
      await ask("/v1/status");
    } catch (error) {
      this.show(error, this.retry);
      return;
    }
    this.again();
    this.restored();
  }

  again() {
    const { retry } = this;
    this.clear();
    retry?.();
  }
}
