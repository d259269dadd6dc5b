// The bottom line: how much of what was sent is on the map, and what is not. Never more certain than the daemon is.

import { by, el, fill, link } from "./dom.js";
import * as state from "./state.js";
import { clock, count, many, percent } from "./words.js";

const strip = by("strip");

const sum = (map) => Object.values(map).reduce((all, n) => all + n, 0);

/** A bar of shares, each with its words as a title. */
export function bar(halves) {
  const parts = [
    ["paired", halves.paired],
    ["virtual", halves.virtual],
    ["lost", halves.lost],
  ];
  return el(
    "span",
    { class: "shares", "aria-hidden": "true" },
    parts
      .filter(([, n]) => n)
      .map(([kind, n]) => {
        const part = el("i", { class: kind, title: `${kind}: ${count(n)}` });
        part.style.flexGrow = String(n);
        return part;
      }),
  );
}

/** A share that is only said to be all when it is. */
export function share(part, all) {
  const ratio = part / all;
  return part < all && ratio > 0.9995 ? "99.9%" : ratio === 1 ? "100%" : ratio > 0.1 ? `${(ratio * 100).toFixed(1)}%` : percent(ratio);
}

function halvesWords(halves) {
  if (!halves) return [el("span", {}, "No halves of calls in this window")];
  const { sum: all, paired, virtual, lost } = halves;
  return [
    bar(halves),
    el(
      "span",
      { title: "Of all spans that are half of a call" },
      el("b", { id: "paired-share" }, share(paired, all)),
      " met their other half",
    ),
    virtual > 0 &&
      el(
        "span",
        { title: "These name a side that sends no spans: a database, a topic, somebody else's service" },
        `${share(virtual, all)} one-sided`,
      ),
    el(
      "span",
      {},
      link(lost ? `${many(lost, "span")} met nobody: why?` : "nobody was missed", () => state.set({ view: "unseen" }), {
        id: "lost",
        class: lost ? "link warn" : "link",
      }),
    ),
  ];
}

function hiddenWords({ nodes, edges, calls }) {
  if (!nodes && !edges) return null;
  return el(
    "span",
    { id: "hidden", title: `With ${many(calls, "call")}` },
    `${many(nodes, "node")}, ${many(edges, "edge")} hidden`,
    state.filtered() && [" ", link("show all", state.clear)],
  );
}

/** Says what a model's head says. */
export function showStrip(model) {
  const { head } = model;
  if (!head) return fill(strip);
  const { law, window, hidden } = head;
  const rejected = sum(law.rejected);
  const part = window.covered_s + 1 < window.effective_s;
  return fill(
    strip,
    halvesWords(model.halves()),
    law.pending_after > 0 && el("span", { title: "Their partners may still come" }, `${count(law.pending_after)} waiting`),
    rejected > 0 && el("span", { class: "warn", title: "Spans with broken ids" }, `${count(rejected)} rejected`),
    law.overflow_calls > 0 &&
      el("span", { class: "warn", title: "Beyond graph.max_nodes or graph.max_edges" }, `${count(law.overflow_calls)} calls in overflow`),
    law.sampling_adjusted && el("span", {}, "calls weighted by sampling"),
    hiddenWords(hidden),
    el("span", { class: "gap" }),
    el("span", { id: "counts" }, `${many(model.nodes.size, "node")}, ${many(model.edges.size, "edge")}`),
    el(
      "span",
      { title: `${window.start} to ${window.end}` },
      `${clock(window.start)} to ${clock(window.end)} UTC`,
      part && `, ${Math.round(window.covered_s)} of ${window.effective_s} s received`,
    ),
  );
}
