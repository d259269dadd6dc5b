// What is shown, in other forms: links to the same question in every format.

import { address } from "./api.js";
import { by, el, fill } from "./dom.js";
import * as state from "./state.js";

const FORMATS = [
  ["svg", "SVG picture"],
  ["dot", "Graphviz DOT"],
  ["mermaid", "Mermaid"],
  ["plantuml", "PlantUML"],
  ["graphml", "GraphML"],
  ["csv", "CSV, edges"],
  ["node-link", "node-link JSON"],
  ["json", "JSON"],
];

/** Brings the links up to date. */
export function showExports() {
  const query = state.query();
  const row = ([suffix, words]) =>
    el(
      "li",
      {},
      el(
        "a",
        { href: address(`topology.${suffix}`, query), target: "_blank", rel: "noopener" },
        words,
        el("span", { class: "quiet" }, ` .${suffix}`),
      ),
    );
  fill(
    by("export").querySelector("ul"),
    FORMATS.map(row),
    el("li", {}, el("a", { href: address("nodes.csv", query), target: "_blank", rel: "noopener" }, "CSV, nodes")),
  );
}
