// The service behind the page: questions, answers, and what went wrong in words.

/** An answer that is no answer; `status` is 0 when nobody replied at all. */
export class ServiceError extends Error {
  constructor(status, words) {
    super(words);
    this.status = status;
  }

  /** Whether the service is gone, and may come back. */
  get passes() {
    return this.status === 0;
  }
}

const WORDS = {
  0: "The service doesn't answer. Start it with “tempo-edge serve”.",
  401: "This page isn't signed in. Load it again with your token, or open the address that “tempo-edge serve --address” prints: it holds your token.",
  403: "The service refuses this page. Open the address that “tempo-edge serve --address” prints.",
  429: "The service is busy. Try again in a moment.",
  503: "The service is busy. Try again in a moment.",
};

const BUSY_TRIES = 3;

/** A newer question of the same client ends the older one. */
export const client = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) =>
  byte.toString(16).padStart(2, "0"),
).join("");

export function address(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(parameters)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== undefined && each !== null && each !== "") query.append(key, String(each));
    }
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

async function reply(path, options) {
  try {
    return await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServiceError(0, WORDS[0]);
  }
}

/** What the service itself says went wrong; undefined when it says nothing. */
export async function said(response) {
  try {
    return (await response.json()).error;
  } catch {
    return undefined; // not JSON: something between us and the service answered
  }
}

async function reason(response) {
  if (response.status === 401) return WORDS[401];
  return (await said(response)) ?? WORDS[response.status] ?? `The service answered ${response.status}.`;
}

const waited = (seconds, signal) =>
  new Promise((done, failed) => {
    const timer = setTimeout(done, seconds * 1000);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      failed(signal.reason);
    });
  });

async function answered(path, options = {}) {
  for (let tries = 1; ; tries += 1) {
    const response = await reply(path, options);
    if (response.ok) return response;
    const error = new ServiceError(response.status, await reason(response));
    if (![409, 429, 503].includes(response.status) || tries === BUSY_TRIES) throw error;
    // An older question of ours, given up already, may have reached the service after this one.
    if (response.status === 409) continue;
    const asked = Number(response.headers.get("Retry-After"));
    await waited(asked > 0 ? Math.min(asked, 10) : tries, options.signal);
  }
}

export async function ask(path, parameters, signal) {
  return (await answered(address(path, parameters), { signal })).json();
}

/** A part of a list, how many there are in all, and how many are left out as nothing is known of them. */
export async function askPart(path, parameters, signal) {
  const response = await answered(address(path, parameters), { signal });
  const told = (name) => Number(response.headers.get(`Tempo-Edge-${name}`) ?? 0);
  return { items: await response.json(), count: told("Count"), unknown: told("Unknown-Count") };
}

export async function tell(path, body) {
  const options = { method: "POST" };
  if (body !== undefined) {
    options.headers = { "Content-Type": "application/json" };
    options.body = JSON.stringify(body);
  }
  return (await answered(path, options)).json();
}

export async function drop(path, parameters) {
  return (await answered(address(path, parameters), { method: "DELETE" })).json();
}

/** A file's contents, the name that the service gives it, and what it remarks. */
export async function download(path, parameters, signal) {
  const response = await answered(address(path, parameters), { signal });
  const told = response.headers.get("Content-Disposition") ?? "";
  const plain = /filename="?([^";]+)"?/i.exec(told)?.[1];
  const coded = /filename\*=UTF-8''([^;]+)/i.exec(told)?.[1];
  const name = coded ? decodeURIComponent(coded) : plain;
  const remarks = JSON.parse(response.headers.get("Tempo-Edge-Remarks") ?? "[]");
  return { blob: await response.blob(), name, remarks };
}

/** Have the browser save a file that was downloaded. */
export function save({ blob, name }, otherwise) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name ?? otherwise;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

export const picture = (video, seconds, width) =>
  address(`/v1/videos/${video}/frame`, { t: Math.max(0, seconds).toFixed(3), width });

export const footage = (video) => `/v1/videos/${video}/file`;
