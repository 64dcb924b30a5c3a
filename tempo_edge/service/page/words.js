// Times, counts and names as people read them.

/** `MM:SS.t`, or `H:MM:SS.t` from an hour on; as the command line writes it. */
export function timestamp(seconds, tenths = true) {
  const all = Math.max(0, tenths ? Math.round(seconds * 10) : Math.floor(seconds) * 10);
  const pad = (value) => String(value).padStart(2, "0");
  const hours = Math.floor(all / 36000);
  const minutes = Math.floor(all / 600) % 60;
  const rest = pad(Math.floor(all / 10) % 60) + (tenths ? `.${all % 10}` : "");
  return `${hours ? `${hours}:` : ""}${pad(minutes)}:${rest}`;
}

export const span = (moment) =>
  `${timestamp(moment.start_seconds)}–${timestamp(moment.end_seconds)}`;

/** A share in whole hundredths; what is little is not said to be nothing. */
export const percent = (share) =>
  share > 0 && share < 0.005 ? "under 1 %" : `${Math.round(share * 100)} %`;

const numbers = new Intl.NumberFormat("en");

/** `count(1, "moment") === "1 moment"`. */
export const count = (value, noun) => `${numbers.format(value)} ${noun}${value === 1 ? "" : "s"}`;

/** A length in the unit that suits it: `40 seconds`, `12 minutes`, `3.4 hours`. */
export function length(seconds) {
  if (seconds < 90) return count(Math.max(1, Math.round(seconds)), "second");
  if (seconds < 5400) return count(Math.round(seconds / 60), "minute");
  const hours = seconds / 3600;
  return `${numbers.format(hours < 10 ? Number(hours.toFixed(1)) : Math.round(hours))} hours`;
}

/** A name on one line: what breaks lines in it is shown as a sign, other controls as unknown. */
export const name = (text) =>
  text
    .replace(/[\n\r\u0085\u2028\u2029]/g, "\u21b5")
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, "\ufffd");

/** Why a moment's file can't be had, as far as the service tells. */
export function unreachable(moment) {
  if (moment.drive_away) return "Drive not connected";
  return moment.drive_away === false ? "File moved or deleted" : "Not there now";
}

export const baseName = (path) => path.slice(path.lastIndexOf("/") + 1);
