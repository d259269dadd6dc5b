// Buttons that choose an element.

import { link } from "./dom.js";
import * as state from "./state.js";
import { name } from "./words.js";

/** A name that opens its node. */
export const toNode = (id, text) =>
  link(name(text ?? id), () => state.set({ node: id, edge: null }), { "data-key": `node ${id}`, title: "Open the node" });

/** A text that opens an edge. */
export const toEdge = (id, text) =>
  link(text, () => state.set({ edge: id, node: null }), { "data-key": `edge ${id}`, title: "Open the edge", "aria-label": `${text}, the edge` });
