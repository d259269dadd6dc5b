// Frames and edges on one canvas, in one pass. Colour and a sign tell the health, width the rate, a dash a message.

import { MARGIN } from "./camera.js";
import { captions, labels, MANY, meet, rank } from "./labels.js";
import { BOX } from "./places.js";
import { problem } from "./words.js";

/** And beyond which they are a mere shade. */
const CROWD = 1000;
/** From an edge within which it counts as pointed at, in pixels of the view. */
const NEAR = 7;

/** 1 at one call a second, 1 more for each factor of ten. */
function width(edge) {
  const least = problem(edge) ? 1.6 : 0.9;
  const told = edge.rate_per_s > 0 ? 1 + Math.log10(edge.rate_per_s) : 0;
  return Math.min(8, Math.max(least, told));
}

export class Edges {
  #routes = [];
  #frames = [];
  #boxes = [];

  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.theme();
  }

  /** Reads the colours; they change with the theme. */
  theme() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    this.colours = {
      ground: colour("--ground"),
      ink: colour("--ink"),
      quiet: colour("--quiet"),
      faint: colour("--faint"),
      line: [0, 1, 2, 3].map((n) => colour(`--line-${n}`)),
    };
    this.font = style.fontFamily || "sans-serif";
  }

  /** What there is to draw, those with a problem on top. */
  take(routes, frames, spots) {
    this.#routes = routes.sort((a, b) => rank(a.edge) - rank(b.edge) || (a.edge.id < b.edge.id ? -1 : 1));
    this.#frames = frames;
    this.#boxes = [...spots.values()].map(({ x, y }) => ({
      left: x - BOX.width / 2,
      right: x + BOX.width / 2,
      top: y - BOX.height / 2,
      bottom: y + BOX.height / 2,
    }));
  }

  /** Draws for a camera. `lit` says of an edge whether it stands out; `null` when none does. */
  draw(camera, { label, lit }) {
    const { canvas, context } = this;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    const [across, down] = [camera.width + 2 * MARGIN, camera.height + 2 * MARGIN];
    if (canvas.width !== Math.round(across * ratio) || canvas.height !== Math.round(down * ratio)) {
      canvas.width = Math.round(across * ratio);
      canvas.height = Math.round(down * ratio);
      Object.assign(canvas.style, { width: `${across}px`, height: `${down}px`, left: `${-MARGIN}px`, top: `${-MARGIN}px` });
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    const { scale } = camera;
    context.setTransform(
      scale * ratio,
      0,
      0,
      scale * ratio,
      (across / 2 - camera.x * scale) * ratio,
      (down / 2 - camera.y * scale) * ratio,
    );
    this.scale = scale;
    const [left, top] = camera.toWorld(-MARGIN, -MARGIN);
    const view = { left, top, right: left + across / scale, bottom: top + down / scale };
    const seen = this.#routes.filter(({ area }) => meet(area, view));
    this.#drawFrames();
    const bright = lit ? seen.filter(({ edge }) => lit(edge)) : [];
    for (const one of seen) if (!lit || !lit(one.edge)) this.#edge(one, lit ? 0.12 : this.#strength(one.edge));
    for (const one of bright) this.#edge(one, 1);
    context.globalAlpha = 1;
    const paper = { context, scale, colours: this.colours, font: this.font };
    captions(paper, this.#frames, view);
    const boxes = this.#boxes.filter((box) => meet(box, view));
    labels(paper, lit ? bright : seen, boxes, { choice: label, all: bright.length > 0 });
  }

  #strength(edge) {
    if (problem(edge)) return 1;
    if (this.#routes.length > CROWD) return 0.2;
    return this.#routes.length > MANY || edge.idle ? 0.4 : 0.85;
  }

  #drawFrames() {
    const { context, colours, scale } = this;
    for (const { area } of this.#frames) {
      const [wide, high] = [area.right - area.left, area.bottom - area.top];
      context.beginPath();
      context.roundRect(area.left, area.top, wide, high, 10);
      context.fillStyle = context.strokeStyle = colours.faint;
      context.globalAlpha = 0.08;
      context.fill();
      context.globalAlpha = 0.5;
      context.lineWidth = 1 / Math.min(1, scale);
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  #edge({ edge, start, curves, tip, neck }, strength) {
    const { context, scale } = this;
    const wide = Math.max(width(edge), 0.8 / scale);
    context.globalAlpha = strength;
    context.strokeStyle = context.fillStyle = this.colours.line[rank(edge)];
    context.lineWidth = wide;
    context.setLineDash(edge.connection_type === "messaging_system" ? [7 + wide, 5 + wide] : []);
    context.beginPath();
    context.moveTo(...start);
    for (const [a, b, to] of curves) context.bezierCurveTo(...a, ...b, ...to);
    context.stroke();
    if (scale < 0.12) return;
    const half = 3.5 + wide * 0.6;
    context.beginPath();
    context.moveTo(...tip);
    context.lineTo(neck[0], neck[1] - half);
    context.lineTo(neck[0], neck[1] + half);
    context.fill();
  }

  /** Points along an edge. */
  points(id) {
    return this.#routes.find(({ edge }) => edge.id === id)?.points ?? [];
  }

  /** The edge at a spot of the layout, the nearest one. */
  at(x, y) {
    const near = NEAR / this.scale;
    let best = null;
    let least = near;
    for (const { edge, area, points } of this.#routes) {
      if (x < area.left - near || x > area.right + near || y < area.top - near || y > area.bottom + near) continue;
      for (let i = 1; i < points.length; i += 1) {
        const away = distance([x, y], points[i - 1], points[i]);
        if (away < least) [least, best] = [away, edge];
      }
    }
    return best;
  }
}

/** From a spot to a straight piece. */
function distance([x, y], [ax, ay], [bx, by]) {
  const [dx, dy] = [bx - ax, by - ay];
  const along = Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - ax - along * dx, y - ay - along * dy);
}
