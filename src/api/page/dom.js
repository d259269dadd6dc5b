// Elements by name, with attributes, listeners and children. Text becomes text nodes, whatever it holds: nothing here,
// and nothing elsewhere, turns text into markup.

const SVG = "http://www.w3.org/2000/svg";

/** Children, however they are nested, without those that are nothing. */
function present(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value);
  }
  element.append(...present(children));
  return element;
}

/** An HTML element; an attribute whose value is a function listens to the event of that name. */
export function el(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** An SVG element. */
export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

/** The element with that id. */
export function by(id) {
  return document.getElementById(id);
}

/** A button that looks like a link. */
export function link(text, click, attributes = {}) {
  return el("button", { type: "button", class: "link", ...attributes, click }, text);
}

/** Replaces all children. */
export function fill(element, ...children) {
  element.replaceChildren(...present(children));
}

/** A table with a caption; cells are texts or nodes, and those of `numbers` (positions) stand to the right. */
export function grid(caption, head, rows, numbers = []) {
  const side = (at) => (numbers.includes(at) ? { class: "number" } : {});
  return el(
    "table",
    { class: "grid" },
    caption && el("caption", {}, caption),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        head.map((cell, at) => el("th", { scope: "col", ...side(at) }, cell)),
      ),
    ),
    el(
      "tbody",
      {},
      rows.map((row) =>
        el(
          "tr",
          {},
          row.map((cell, at) => (at ? el("td", side(at), cell) : el("th", { scope: "row" }, cell))),
        ),
      ),
    ),
  );
}
