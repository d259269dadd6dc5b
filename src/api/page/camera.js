// Where the reader looks: the middle of the view in the layout's pixels, and the scale. It moves when the reader moves
// it and never by itself. While it moves the drawn plane is only shifted and stretched; it is drawn anew when it rests.

const MIN_SCALE = 0.04;
const MAX_SCALE = 3;
/** Below it names cannot be read. */
export const SMALL = 0.4;
/** From it on figures can be read too. */
const READABLE = 0.62;
const SMALL_WIDTH = 700;
/** Rest after which everything is drawn anew. */
const REST_MS = 90;
/** What is drawn beyond the view at each side, so that moving it uncovers nothing empty. */
export const MARGIN = 260;

export class Camera {
  x = 0;
  y = 0;
  scale = 1;
  /** What the plane was drawn for. */
  drawn = { x: 0, y: 0, scale: 1 };

  /** `draw` draws the plane anew; `rested` hears of every move that the reader made. */
  constructor(stage, plane, { draw, rested }) {
    Object.assign(this, { stage, plane, draw, rested });
    this.measure();
    new ResizeObserver(() => this.resized()).observe(stage);
  }

  measure() {
    this.width = this.stage.clientWidth;
    this.height = this.stage.clientHeight;
  }

  /** What was at the left stays there: a panel that opens pushes nothing about. */
  resized() {
    const { width, height, stage } = this;
    // Another view is looked at: this one stays as it is.
    if (!stage.clientWidth || (width === stage.clientWidth && height === stage.clientHeight)) return;
    this.measure();
    if (width) {
      this.x += (this.width - width) / 2 / this.scale;
      this.y += (this.height - height) / 2 / this.scale;
    }
    this.settle();
  }

  /** From the layout's pixels to the view's. */
  toView(x, y) {
    return [(x - this.x) * this.scale + this.width / 2, (y - this.y) * this.scale + this.height / 2];
  }

  /** And back. */
  toWorld(left, top) {
    return [(left - this.width / 2) / this.scale + this.x, (top - this.height / 2) / this.scale + this.y];
  }

  /** Moves what is seen by so many pixels of the view. */
  pan(right, down) {
    this.x -= right / this.scale;
    this.y -= down / this.scale;
    this.#moved();
  }

  /** Zooms by a factor; the point at `left`, `top` stays where it is. */
  zoom(factor, left = this.width / 2, top = this.height / 2) {
    const [x, y] = this.toWorld(left, top);
    this.scale = Math.min(MAX_SCALE, Math.max(MIN_SCALE, this.scale * factor));
    const [nowX, nowY] = this.toWorld(left, top);
    this.x += x - nowX;
    this.y += y - nowY;
    this.#moved();
  }

  /** Shows a whole area, never larger than life. */
  fit({ left, top, right, bottom }, keep = false) {
    const [width, height] = [Math.max(1, right - left), Math.max(1, bottom - top)];
    this.scale = Math.max(MIN_SCALE, Math.min(1.1, (this.width - 40) / width, (this.height - 60) / height));
    this.x = (left + right) / 2;
    this.y = (top + bottom) / 2;
    this.settle();
    if (!keep) this.rested();
  }

  /** The first look: everything, or on a small screen, where that would be too little to read, where most is to be seen. */
  begin(area, most) {
    this.fit(area, true);
    if (this.scale >= SMALL || this.width > SMALL_WIDTH) return;
    const [x, y] = most(this.width / SMALL, this.height / SMALL);
    this.look(x, y, SMALL);
  }

  /** Brings a spot into view, out of what covers so many pixels `below`, moving as little as needed. */
  reveal(x, y, below = 0) {
    const [left, top] = this.toView(x, y);
    const off = (at, size, edge) => (at < edge ? edge - at : at > size - edge ? size - edge - at : 0);
    const edge = Math.min(120, this.width / 3);
    const [right, down] = [off(left, this.width, edge), off(top, this.height - below, 50)];
    if (right || down) this.pan(right, down);
  }

  /** Puts a spot in the middle of what is not covered `below`, large enough to read it and what is near. */
  centre(x, y, below = 0) {
    this.scale = Math.max(this.scale, READABLE);
    this.x = x;
    this.y = y + below / 2 / this.scale;
    this.settle();
    this.rested();
  }

  look(x, y, scale) {
    Object.assign(this, { x, y, scale });
    this.settle();
  }

  #moved() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.settle();
      this.rested();
    }, REST_MS);
    this.frame ??= requestAnimationFrame(() => this.#shift());
  }

  /** Shifts and stretches what is drawn, unless that would show where nothing was drawn. */
  #shift() {
    this.frame = null;
    const { drawn, scale, width, height } = this;
    const stretch = scale / drawn.scale;
    const right = (width / 2) * (1 - stretch) + (drawn.x - this.x) * scale;
    const down = (height / 2) * (1 - stretch) + (drawn.y - this.y) * scale;
    const uncovered = Math.max(right, down, width - right - width * stretch, height - down - height * stretch);
    if (uncovered > MARGIN * stretch || stretch > 2.2) this.settle();
    else this.plane.style.transform = `translate(${right}px, ${down}px) scale(${stretch})`;
  }

  /** Draws for where the camera is, to the digits that an address has for it. */
  settle() {
    this.x = Number(this.x.toFixed(1));
    this.y = Number(this.y.toFixed(1));
    this.scale = Number(this.scale.toFixed(3));
    this.drawn = { x: this.x, y: this.y, scale: this.scale };
    this.plane.style.transform = "none";
    this.draw();
  }
}
