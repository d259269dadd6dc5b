// What was not seen: spans that should have had a partner and met nobody, with the reason and what to do. And the law
// that says nothing is missing from the count.

import { ask, Problem } from "./api.js";
import { toNode } from "./choose.js";
import { by, el, fill, grid } from "./dom.js";
import * as state from "./state.js";
import { bar, share } from "./strip.js";
import { ABSENT, count, many, name } from "./words.js";

const section = by("unseen");
const NAMES = ["window", "at", "namespace", "service", "exclude"];

const MEANINGS = {
  paired: "met their other half",
  virtual: "name a side that sends no spans",
  unpaired_client: "called somebody who was not seen and is not named",
  unpaired_server: "were called by somebody who was not seen",
  late: "came after their partner was settled without them",
  internal: "are inner work of one service",
  root: "began something, called by nobody",
  filtered: "are taken out by a rule of yours",
  duplicate: "came twice",
};

function law({ accepted, outcomes, pending_before: before, pending_after: after }) {
  const rows = Object.entries(outcomes)
    .filter(([, n]) => n)
    .sort(([, a], [, b]) => b - a);
  const waiting = [
    [`waiting when the window began`, -before],
    ["still waiting", after],
  ].filter(([, n]) => n);
  const lines = [...rows.map(([word, n]) => [word, count(n), MEANINGS[word] ?? ""]), ...waiting.map(([word, n]) => [word, count(n), ""])];
  return grid(`Where ${many(accepted, "accepted span")} went`, ["outcome", "spans", "they"], lines, [1]);
}

/** Words between backticks as code. */
const marked = (text) => text.split("`").map((part, at) => (at % 2 ? el("code", {}, part) : part));

function reasons(list) {
  const met = list.filter((reason) => reason.count > 0);
  return met.map((one) =>
    el(
      "div",
      { class: "reason" },
      el("h3", {}, one.reason, el("span", {}, count(one.count))),
      el("p", {}, marked(one.meaning)),
      el("p", { class: "hint" }, marked(one.hint)),
    ),
  );
}

/** A span's name, or in other letters that it stands for many or has none. */
const spanName = (text) => (text ? name(text) : el("i", {}, text === null ? "all further names" : "no name"));

function spans(body) {
  // Equal counts stay in the order in which they came: by service, kind and span name.
  const sorted = [...body.rows].sort((a, b) => b.count - a.count);
  const row = (r) => [
    toNode(r.service),
    r.kind.toLowerCase(),
    spanName(r.span_name),
    r.reason,
    count(r.count),
    r.sample_trace_id ? el("code", {}, r.sample_trace_id) : ABSENT,
  ];
  return el(
    "div",
    { class: "wide" },
    grid("Spans that met nobody", ["service", "kind", "span name", "reason", "count", "a trace to look up"], sorted.map(row), [4]),
  );
}

export class Unseen {
  #abort = null;
  #shown = null;

  /** Shows the newest answer; does nothing while something else is looked at. */
  async show(model) {
    this.#abort?.abort();
    if (state.get("view") !== "unseen") return;
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    try {
      const body = await ask("unpaired", state.query({}, NAMES), signal);
      if (signal.aborted || body === this.#shown) return;
      this.#shown = body;
      this.#fill(body, model.halves());
    } catch (problem) {
      if (signal.aborted) return;
      if (!(problem instanceof Problem)) throw problem;
      this.#shown = null;
      fill(section, el("p", {}, problem.message));
    }
  }

  #fill(body, halves) {
    const { scrollTop } = section;
    const rest = body.other + body.hidden.count;
    fill(
      section,
      el("h2", {}, "What was not seen"),
      halves &&
        el(
          "p",
          {},
          bar(halves),
          `${share(halves.paired, halves.sum)} of ${many(halves.sum, "span")} that are half of a call met their other half; ` +
            `${count(halves.virtual)} name a side that sends none; ${count(halves.lost)} met nobody.`,
        ),
      body.rows.length
        ? [el("div", { class: "reasons" }, reasons(body.reasons)), spans(body)]
        : el("p", { class: "good" }, "Every span that should have had a partner found one, or is still waiting for it."),
      rest > 0 &&
        el(
          "p",
          { class: "quiet" },
          `${many(body.other, "more span")} beyond the rows that are kept, ${many(body.hidden.count, "span")} hidden by filters.`,
        ),
      law(body.law),
    );
    section.scrollTop = scrollTop;
  }
}
