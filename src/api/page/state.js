// What is shown, as the address says it: `#window=5m&focus=shop%2Fweb&view=table`. The words are the API's where it has
// them, so a link is a query and a query is a link. Nothing that matters is kept anywhere else.

/** Parameters that may come more than once. */
export const LISTS = ["namespace", "service", "exclude", "focus"];
/** All parameters that the API reads. */
const ASKED = [...LISTS, "window", "up", "down", "min_calls", "min_rate_per_s", "top", "health", "type", "group_by", "at"];

/** What is meant where the address says nothing. */
const DEFAULTS = { window: "5m", label: "rate", view: "map", group_by: "service", up: "1", down: "2", table: "edges" };

/** Filters: what may hide something. */
const FILTERS = [...LISTS, "up", "down", "min_calls", "min_rate_per_s", "top", "health", "type"];

let now = read();
const listeners = [];

function read() {
  return new URLSearchParams(location.hash.slice(1));
}

/** The value of a parameter, `undefined` where there is none. */
export const get = (key) => now.get(key) || DEFAULTS[key];
/** All values of a parameter. */
export const all = (key) => now.getAll(key).filter((value) => value !== "");
/** Whether anything narrows the view. */
export const filtered = () => FILTERS.some((key) => all(key).length > 0);

/** What the API is asked: `names` of the state, and `more`. */
export function query(more = {}, names = ASKED) {
  const asked = new URLSearchParams();
  for (const key of names) for (const value of all(key)) asked.append(key, value);
  // Hops without a focus would be a mistake.
  if (!all("focus").length) ["up", "down"].forEach((key) => asked.delete(key));
  const include = [...all("include"), more.include].filter(Boolean);
  for (const [key, value] of Object.entries(more)) if (key !== "include") asked.set(key, value);
  if (include.length && names === ASKED) asked.set("include", include.join(","));
  return asked;
}

/** Changes some parameters: a text, a list, or `null` for none. `quiet` neither adds to the history nor tells anybody. */
export function set(changes, quiet = false) {
  const next = new URLSearchParams(now);
  for (const [key, value] of Object.entries(changes)) {
    next.delete(key);
    for (const one of [value ?? []].flat()) if (one !== "" && one !== DEFAULTS[key]) next.append(key, one);
  }
  if (next.toString() === now.toString()) return;
  const before = now;
  now = next;
  const address = now.size ? `#${now}` : location.pathname;
  if (quiet) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  if (!quiet) tell(before);
}

/** Takes every filter away. */
export const clear = () => set(Object.fromEntries(FILTERS.map((key) => [key, null])));

/** Calls `listener` with a question, "did one of these change?", whenever something did. */
export function watch(listener) {
  listeners.push(listener);
}

function tell(before) {
  const text = (params, key) => JSON.stringify(params.getAll(key));
  const changed = (...keys) => keys.some((key) => text(before, key) !== text(now, key));
  for (const listener of listeners) listener(changed);
}

// Back and forward, and addresses that are typed.
window.addEventListener("popstate", () => {
  const before = now;
  now = read();
  tell(before);
});

/** Whether the question to the API is another one. */
export const asksAnew = (changed) => changed(...ASKED, "include");
