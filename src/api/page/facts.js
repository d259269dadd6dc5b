// Pieces of what the panel says, the same for nodes and edges: the side that measured a figure is named.

import { histogram, history } from "./charts.js";
import { el, grid } from "./dom.js";
import { count, ms, name } from "./words.js";

const SIDES = {
  client: "client: as the caller waited",
  server: "server: as the called worked",
  gap: "gap: client − server of one call, network and queueing",
  queue: "queue: from sent to taken up",
};

/** Terms with what is known of them; what is not is left out. */
export function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== false);
  return el(
    "dl",
    {},
    shown.flatMap(([term, value]) => [el("dt", {}, term), el("dd", {}, value)]),
  );
}

/** Names, one after the other. */
export function names(list, more) {
  if (!list.length) return null;
  return [...list.map((text, at) => [at > 0 && ", ", name(text)]), more && " and more"];
}

/** Latencies, a column for each side that measured some. */
export function latencies(sides) {
  const seen = Object.entries(sides).filter(([, latency]) => latency);
  if (!seen.length) return el("p", { class: "quiet" }, "No latency was seen.");
  const head = ["", ...seen.map(([side]) => el("abbr", { title: SIDES[side] }, side))];
  const row = (key) => [key.slice(0, -3).replace("_", "."), ...seen.map(([, latency]) => ms(latency[key]))];
  return grid(
    null,
    head,
    Object.keys(seen[0][1]).map(row),
    seen.map((_, at) => at + 1),
  );
}

/** A histogram for each of these sides that has samples. */
export function pictures(histograms, sides) {
  const seen = Object.entries(histograms ?? {}).filter(([side, data]) => sides[side] && data?.count);
  return seen.map(([side, data]) =>
    el("figure", {}, el("figcaption", {}, SIDES[side], ` (${count(data.count)})`), histogram(data, sides[side], side)),
  );
}

/** How it fared slot by slot, if there is more than one. */
export function past(slots) {
  const picture = history(slots);
  return picture && [el("h3", {}, "Over the window"), picture];
}

/** Words with counts, the most first. */
export function counts(map) {
  const list = Object.entries(map).sort(([, a], [, b]) => b - a);
  return list.length ? list.map(([key, calls]) => el("div", {}, name(key), ` ${count(calls)}`)) : null;
}
