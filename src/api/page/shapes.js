// The outline of a node's box tells what it is, in the shapes of the daemon's own pictures; and the signs of health.

import { BOX } from "./places.js";
import { svg } from "./dom.js";

const [W, H] = [BOX.width, BOX.height];
const [L, T, R, B] = [-W / 2, -H / 2, W / 2, H / 2];

function round(r) {
  return `M${L + r} ${T}H${R - r}A${r} ${r} 0 0 1 ${R} ${T + r}V${B - r}A${r} ${r} 0 0 1 ${R - r} ${B}H${L + r}A${r} ${r} 0 0 1 ${L} ${B - r}V${T + r}A${r} ${r} 0 0 1 ${L + r} ${T}Z`;
}

const OUTLINES = {
  service: round(8),
  user: round(H / 2),
  database: `M${L} ${T + 6}a${W / 2} 6 0 0 1 ${W} 0v${H - 12}a${W / 2} 6 0 0 1 -${W} 0zM${L} ${T + 6}a${W / 2} 6 0 0 0 ${W} 0`,
  messaging: `M${L + 7} ${T}h${W - 14}a7 ${H / 2} 0 0 1 0 ${H}h-${W - 14}a7 ${H / 2} 0 0 1 0 -${H}zM${R - 7} ${T}a7 ${H / 2} 0 0 0 0 ${H}`,
  external: `M${L + 13} ${T}H${R - 13}L${R} 0L${R - 13} ${B}H${L + 13}L${L} 0Z`,
  overflow: `M${L} ${T}H${R}V${B - 14}L${R - 14} ${B}H${L}Z`,
};
/** Groups look like folders. */
const GROUP = `M${L} ${T}h60l8 -8h40l8 8H${R}V${B}H${L}Z`;

export const outline = (type) => OUTLINES[type] ?? GROUP;

/** Room for text between the slanted or rounded ends. */
export const room = (type) => W - (["external", "user", "messaging"].includes(type) ? 32 : 16);

/** The sign of a health at the corner of a box, or nothing. */
export function sign(health) {
  const [x, y] = [R - 10, T];
  if (health === "degraded") {
    return [svg("path", { class: "sign", d: `M${x} ${y - 8}l8 14h-16z` }), svg("path", { class: "sign-ink", d: `M${x} ${y - 3}v4` })];
  }
  if (health === "failing") {
    return [
      svg("circle", { class: "sign", cx: x, cy: y, r: 8 }),
      svg("path", { class: "sign-ink", d: `M${x - 3} ${y - 3}l6 6m0 -6l-6 6` }),
    ];
  }
  return [];
}

/** A stub of a call whose other end was not seen. */
export function stub() {
  return [
    svg("path", { class: "stub", d: `M${L - 34} ${B - 8}H${L - 3}` }),
    svg("text", { class: "stub-sign", x: L - 42, y: B - 4, "text-anchor": "middle" }, "?"),
  ];
}

/** A node in the size of a word, for the legend and the panel. */
export function small(type, health) {
  const picture = svg("svg", {
    class: `small node ${health ?? "unknown"}`,
    viewBox: `${L - 4} ${T - 12} ${W + 8} ${H + 16}`,
    width: 46,
    height: 18,
    "aria-hidden": "true",
  });
  // Large enough to be seen, so within the box.
  const within = `translate(${R - 40} 2) scale(2.6) translate(${10 - R} ${-T})`;
  picture.append(svg("path", { class: "outline", d: outline(type) }), svg("g", { transform: within }, sign(health)));
  return picture;
}
