// What shapes, colours and lines mean.

import { by, el, fill, svg } from "./dom.js";
import { small } from "./shapes.js";
import { SIGNS } from "./words.js";

const line = (kind, sign) =>
  svg(
    "svg",
    { class: `small line ${kind}`, viewBox: "0 0 46 18", width: 46, height: 18, "aria-hidden": "true" },
    svg("path", { d: "M2 9H36" }),
    svg("path", { class: "head", d: "M44 9l-9 -4v8z" }),
    sign && svg("text", { class: "sign", x: 19, y: 14 }, sign),
  );

const ROWS = [
  [small("service", "ok"), "service, fewer than 1% of calls fail"],
  [small("service", "degraded"), "degraded: at least 1% fail"],
  [small("service", "failing"), "failing: at least 5% fail"],
  [small("service"), "no calls of its own seen"],
  [small("database", "ok"), "database"],
  [small("messaging", "ok"), "topic or queue"],
  [small("external", "ok"), "external, known by name"],
  [small("user", "ok"), "user: calls from outside"],
  [line("ok"), "call, wider for more a second"],
  [line("ok dashed"), "dashes: a message, nobody waits"],
  [line("degraded", SIGNS.degraded), "degraded calls"],
  [line("failing", SIGNS.failing), "failing calls"],
  [
    svg(
      "svg",
      { class: "small stub-row", viewBox: "0 0 46 18", width: 46, height: 18, "aria-hidden": "true" },
      svg("path", { class: "stub", d: "M16 9H44" }),
      svg("text", { class: "stub-sign", x: 6, y: 13 }, "?"),
    ),
    "callers that were not seen",
  ],
];

export function legend() {
  fill(
    by("legend").querySelector("ul"),
    ROWS.map(([picture, words]) => el("li", {}, picture, words)),
  );
}
