// How fresh the view is, and what changed in it.

import { by, el } from "./dom.js";
import * as state from "./state.js";
import { clock, count, visible } from "./words.js";

const LIVE = {
  live: () => "● live",
  asking: () => "● asking every 5 s",
  waiting: (at) => (at ? `○ waiting, as of ${clock(new Date(at).toISOString())}` : "○ waiting"),
  paused: () => "❚❚ paused",
  reconnecting: (at) => (at ? `↻ reconnecting, as of ${clock(new Date(at).toISOString())}` : "↻ connecting"),
  stale: (at) => `▲ stale since ${clock(new Date(at).toISOString())}`,
};

/** Says how fresh the view is; `at` is when the daemon was last heard, by this machine's clock. */
export function showLive(mode, at) {
  const live = by("live");
  const end = mode === "paused" && state.get("at") ? ` at ${clock(state.get("at"))}` : "";
  const text = LIVE[mode](at) + end;
  if (live.textContent === text) return;
  live.textContent = text;
  live.className = mode;
}

/** Tells those who listen what changed; at most a few things at once. */
export function tell(news, model) {
  if (!news.length) return;
  const words = news
    .slice(0, 3)
    .map(
      ({ id, what, by: who }) =>
        `${visible(model.nodes.get(id)?.name ?? id)} ${what}${who ? `: ${visible(model.nodes.get(who)?.name ?? who)}` : ""}`,
    );
  const rest = news.length - words.length;
  say(`${words.join("; ")}${rest > 0 ? `; and ${count(rest)} more changes` : ""}`);
}

/** Shows some words for a while, and tells them to those who listen. */
export function say(words) {
  by("news").replaceChildren(el("p", {}, words));
}
