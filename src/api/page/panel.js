// Everything about the chosen node or edge. Asked from the API each time the graph changes; an answer that is the same
// is not shown anew, so a selection or a scroll in it stays.

import { aboutEdge } from "./aboutedge.js";
import { aboutNode } from "./aboutnode.js";
import { ask, Problem } from "./api.js";
import { by, el, fill } from "./dom.js";
import * as state from "./state.js";
import { name } from "./words.js";

const panel = by("panel");

export class Panel {
  #abort = null;
  #shown = null;

  close() {
    state.set({ node: null, edge: null });
  }

  /** Shows what the state says is chosen, of the newest window. `fresh`: somebody just chose it. */
  async show(fresh) {
    const kind = ["node", "edge"].find((key) => state.get(key));
    panel.hidden = !kind;
    this.#abort?.abort();
    if (!kind) return;
    const id = state.get(kind);
    if (fresh) this.#empty(id);
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    try {
      const query = state.query({ id }, ["window", "at", "group_by"]);
      const body = await ask(kind, query, signal);
      if (body === this.#shown || signal.aborted) return;
      this.#shown = body;
      this.#fill(kind === "node" ? aboutNode(body) : aboutEdge(body));
    } catch (problem) {
      if (signal.aborted) return;
      if (!(problem instanceof Problem)) throw problem;
      this.#shown = null;
      this.#fill([el("h2", {}, name(id)), el("p", {}, problem.status === 404 ? "It had no calls in this window." : problem.message)]);
    }
  }

  #empty(id) {
    this.#shown = null;
    this.#fill([el("h2", {}, name(id)), el("p", {}, "…")]);
    panel.scrollTop = 0;
  }

  #fill(parts) {
    const top = panel.scrollTop;
    const key = document.activeElement?.getAttribute("data-key");
    const shut = el(
      "button",
      { type: "button", class: "close", "aria-label": "Close", "data-key": "close", click: () => this.close() },
      "×",
    );
    fill(panel, shut, parts);
    panel.scrollTop = top;
    if (key) panel.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
  }

  /** Whether the focus is in it. */
  focused() {
    return panel.contains(document.activeElement);
  }

  focus() {
    panel.focus({ preventScroll: true });
  }
}
