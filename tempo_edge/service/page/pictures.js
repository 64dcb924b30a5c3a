// Pictures of the wall, a few at a time: a browser gives a page six connections, and a search
// must not stand in line behind frames that are still being decoded.

const AT_ONCE = 3;
const AHEAD = "400px";
const PAUSES_MS = [1000, 3000];

export class Pictures {
  constructor() {
    this.waiting = [];
    this.loading = new Set();
    this.failed = new Set();
    this.eye = new IntersectionObserver((seen) => this.saw(seen), { rootMargin: AHEAD });
  }

  /** Load `source` into an image once it is nearly in sight; `lost` when it can't be had. */
  add(image, source, lost) {
    image.wanted = { source, lost, tries: 0 };
    this.eye.observe(image);
  }

  /** Forget an image that left the page, and stop what is loading for it. */
  drop(image) {
    this.eye.unobserve(image);
    this.waiting = this.waiting.filter((each) => each !== image);
    this.failed.delete(image);
    if (!this.loading.delete(image)) return;
    image.wanted = undefined;
    image.removeAttribute("src");
    this.next();
  }

  /** Try those again that could not be had: the service was away. */
  again() {
    for (const image of this.failed) {
      image.wanted.tries = 0;
      this.waiting.push(image);
    }
    this.failed.clear();
    this.next();
  }

  saw(seen) {
    for (const { target, isIntersecting } of seen) {
      if (!isIntersecting) continue;
      this.eye.unobserve(target);
      this.waiting.push(target);
    }
    this.next();
  }

  next() {
    while (this.loading.size < AT_ONCE && this.waiting.length) this.load(this.waiting.shift());
  }

  load(image) {
    this.loading.add(image);
    const { wanted } = image;
    const done = (act) => () => {
      if (image.wanted !== wanted || !this.loading.delete(image)) return;
      act?.();
      this.next();
    };
    image.onload = done();
    image.onerror = done(() => this.lost(image));
    image.removeAttribute("src"); // the same address again is a new request only after none
    image.src = wanted.source;
  }

  lost(image) {
    const { wanted } = image;
    const pause = PAUSES_MS[wanted.tries];
    wanted.tries += 1;
    if (pause === undefined) {
      this.failed.add(image);
      wanted.lost();
      return;
    }
    setTimeout(() => {
      if (image.wanted !== wanted) return;
      this.waiting.push(image);
      this.next();
    }, pause);
  }
}
