// A map without calls says why there are none, and what to do about it.

import { by, el, fill, link } from "./dom.js";
import * as state from "./state.js";
import { count, many } from "./words.js";

const section = by("empty");

const code = (text) => el("pre", {}, el("code", {}, text));

function howToSend() {
  const host = location.hostname || "localhost";
  return [
    el("h2", {}, "No spans yet"),
    el("p", {}, "The daemon is up and nothing was sent to it in this window. Point an OpenTelemetry SDK or Collector at it:"),
    code(`OTEL_EXPORTER_OTLP_ENDPOINT=http://${host}:4318`),
    el("p", {}, "That is OTLP over HTTP; over gRPC it is port 4317."),
    el("p", {}, "Nothing at hand that exports? A make-believe shop does, in a daemon of its own:"),
    code("spangraph demo"),
    el("p", { class: "quiet" }, "The ports are those of the configuration's defaults; the log line “listening” names the real ones."),
  ];
}

function filteredOut(hidden) {
  return [
    el("h2", {}, "Every call is filtered out"),
    el(
      "p",
      {},
      `${many(hidden.nodes, "node")} and ${many(hidden.edges, "edge")} with ${many(hidden.calls, "call")} are there, and nothing of it passes the filters.`,
    ),
    el("p", {}, link("Take the filters away", state.clear)),
  ];
}

function noCalls({ law }) {
  const { outcomes: o } = law;
  const lost = o.unpaired_client + o.unpaired_server + o.late;
  const rejected = Object.values(law.rejected).reduce((all, n) => all + n, 0);
  if (!law.accepted && rejected) {
    return [
      el("h2", {}, "Every span was rejected"),
      el(
        "p",
        {},
        `${many(rejected, "span")} came with broken ids: ${Object.entries(law.rejected)
          .filter(([, n]) => n)
          .map(([why, n]) => `${why} ${count(n)}`)
          .join(", ")}. Fix the sender.`,
      ),
    ];
  }
  if (lost) {
    return [
      el("h2", {}, "All spans are unpaired"),
      el(
        "p",
        {},
        `${many(lost, "span")} should have had a partner, and none came. `,
        link("See why", () => state.set({ view: "unseen" })),
      ),
    ];
  }
  if (law.pending_after) {
    return [
      el("h2", {}, "Spans wait for their other half"),
      el(
        "p",
        {},
        `${many(law.pending_after, "span")} came and may still meet their partners; calls show once they did, or when the wait is over.`,
      ),
    ];
  }
  return [
    el("h2", {}, "No calls in this window"),
    el("p", {}, `${many(law.accepted, "span")} came, and none of them is part of a call between two services.`),
  ];
}

function refused(problem) {
  const words = { 404: "It is not in this window", 410: "That time is no longer held", 503: "Not ready yet" };
  return [
    el("h2", {}, words[problem.status] ?? "The daemon refuses this question"),
    el("p", {}, problem.message),
    problem.status !== 503 &&
      el(
        "p",
        {},
        link("Start over", () =>
          state.set(
            Object.fromEntries(
              [
                "at",
                "window",
                "type",
                "top",
                "group_by",
                "focus",
                "up",
                "down",
                "namespace",
                "service",
                "exclude",
                "health",
                "min_calls",
                "min_rate_per_s",
                "include",
              ].map((key) => [key, null]),
            ),
          ),
        ),
      ),
  ];
}

/** Shows why there is nothing, if there is nothing. */
export function showEmpty(model, problem) {
  const bare = !problem && model.head && model.edges.size === 0;
  const here = state.get("view") !== "unseen" && (problem || bare);
  section.hidden = !here;
  if (!here) return;
  const { head } = model;
  section.classList.toggle("beside", model.nodes.size > 0);
  if (problem) fill(section, refused(problem));
  else if (head.hidden.edges || (head.hidden.nodes && !model.nodes.size)) fill(section, filteredOut(head.hidden));
  else if (head.law.decoded === 0 && head.law.pending_after === 0) fill(section, howToSend());
  else fill(section, noCalls(head));
}
