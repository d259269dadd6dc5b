// Text in the room there is for it.

/** A name that is too long is set smaller before it is cut. */
const SMALLER = [1, 0.87, 0.75];

const measure = document.createElement("canvas").getContext("2d");

/** How wide a text is, pixels. */
export function width(text, size, weight) {
  measure.font = `${weight} ${size}px ${getComputedStyle(document.body).fontFamily}`;
  return measure.measureText(text).width;
}

/** A name in the largest letters that it fits in; in the smallest as much of it as there is room for. */
export function fitted(text, large, wide) {
  const size = SMALLER.map((part) => part * large).find((letters) => width(text, letters, 600) <= wide);
  return size ? [text, size] : [cut(text, SMALLER.at(-1) * large, wide), SMALLER.at(-1) * large];
}

function cut(text, size, wide) {
  const letters = [...text];
  let [low, high] = [0, letters.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (width(`${letters.slice(0, middle).join("")}…`, size, 600) <= wide) low = middle;
    else high = middle - 1;
  }
  return `${letters.slice(0, low).join("")}…`;
}
