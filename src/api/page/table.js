// The same graph as tables: every node, every edge, sorted by any column. Rows stay the same elements while figures
// change, so that focus and reading place stay too.

import { KINDS } from "./columns.js";
import { by, el, fill } from "./dom.js";
import * as state from "./state.js";
import { count } from "./words.js";

const section = by("table");

/** Absent values last, whichever way the rest goes. */
function compare(a, b, down) {
  const absent = (value) => value === null || value === undefined || value === "";
  if (absent(a) || absent(b)) return absent(a) - absent(b);
  const order = typeof a === "string" ? a.localeCompare(b) : a - b;
  return down ? -order : order;
}

export class Table {
  #rows = new Map();
  #kind = null;

  /** Shows a model; does nothing while the table is not what is looked at. */
  show(model) {
    if (state.get("view") !== "table") return;
    const name_ = state.get("table") === "nodes" ? "nodes" : "edges";
    if (this.#kind !== name_) this.#build(name_);
    const { columns } = KINDS[name_];
    const [sort, down] = this.#order(columns);
    const elements = [...model[name_].values()];
    elements.sort((a, b) => compare(sort.value(a), sort.value(b), down) || (a.id < b.id ? -1 : 1));
    this.#marks(sort, down);
    this.#count.textContent = `${count(elements.length)} ${name_}`;
    this.#place(elements, columns);
  }

  /** Takes the focus back from the panel to the row it was about. */
  back(id) {
    (this.#rows.get(id)?.open ?? section.querySelector("button")).focus();
  }

  #order(columns) {
    const [title, way] = (state.get("sort") ?? "").split(",");
    const column = columns.find((c) => c.title === title);
    return column ? [column, way === "down"] : [columns.find((c) => c.title === "calls"), true];
  }

  #build(kind) {
    this.#kind = kind;
    this.#rows.clear();
    const tab = (key) =>
      el(
        "button",
        { type: "button", "data-table": key, "aria-pressed": String(key === kind), click: () => state.set({ table: key, sort: null }) },
        KINDS[key].word,
      );
    this.#count = el("span", { class: "quiet" });
    this.#heads = KINDS[kind].columns.map((column) =>
      el(
        "th",
        { scope: "col", class: column.number && "number" },
        el("button", { type: "button", click: () => this.#sort(column) }, column.title),
      ),
    );
    this.#body = el("tbody", {});
    const table = el("table", { class: "grid all" }, el("thead", {}, el("tr", {}, this.#heads)), this.#body);
    fill(
      section,
      el("div", { class: "tabs" }, tab("edges"), tab("nodes"), this.#count),
      el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": KINDS[kind].word }, table),
    );
  }

  #sort(column) {
    const [now, down] = this.#order(KINDS[this.#kind].columns);
    const next = now === column ? !down : Boolean(column.number);
    state.set({ sort: `${column.title},${next ? "down" : "up"}` });
  }

  #marks(sort, down) {
    KINDS[this.#kind].columns.forEach((column, at) => {
      this.#heads[at].setAttribute("aria-sort", column === sort ? (down ? "descending" : "ascending") : "none");
    });
  }

  #place(elements, columns) {
    const focused = document.activeElement;
    const known = new Set(elements.map((element) => element.id));
    for (const [id, row] of this.#rows) if (!known.has(id)) [row.row.remove(), this.#rows.delete(id)];
    let after = this.#body.firstChild;
    for (const element of elements) {
      const { row } = this.#row(element, columns);
      if (row === after) after = after.nextSibling;
      else this.#body.insertBefore(row, after);
    }
    if (focused !== document.activeElement && focused?.isConnected) focused.focus({ preventScroll: true });
  }

  #row(element, columns) {
    let held = this.#rows.get(element.id);
    if (!held) {
      const cells = columns.map((column, at) =>
        el(at ? "td" : "th", { scope: at ? null : "row", class: column.number ? "number" : column.title === "health" && "word" }),
      );
      held = { row: el("tr", { "data-id": element.id }, cells), cells, shown: [] };
      held.open = el("button", { type: "button", class: "link", click: () => KINDS[this.#kind].open(held.element) });
      cells[0].append(held.open);
      this.#rows.set(element.id, held);
    }
    held.element = element;
    held.row.className = element.health ?? "";
    columns.forEach((column, at) => {
      const value = column.value(element);
      if (at in held.shown && held.shown[at] === value) return;
      held.shown[at] = value;
      (at ? held.cells[at] : held.open).replaceChildren(column.words(value));
    });
    return held;
  }

  #heads = [];
  #body = null;
  #count = null;
}
