// @ts-check
// What part of a drawing is shown, and how large. All coordinates come from the server; places never change.

/** @typedef {[number, number, number, number]} Box Left, top, width and height in units of the drawing. */

/** The scales at which the words change: only glyphs, short labels, whole labels, everything. */
const LEVELS = /** @type {const} */ ([[0.55, "dots"], [1.75, "far"], [2.9, "mid"], [Infinity, "near"]]);
const CLOSEST = 120;
const NARROW = 700;
const READABLE = 0.86;
const LEGIBLE = 1.15;

export class Viewport {
  /** @param {HTMLElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    /** @type {SVGSVGElement | null} */
    this.svg = null;
    /** @type {Box} */
    this.home = [0, 0, 1, 1];
    /** @type {Box} */
    this.box = [0, 0, 1, 1];
    this.fitted = true;
    this.scale = 1;
    new ResizeObserver(() => this.resized()).observe(canvas);
  }

  /** @param {SVGSVGElement} svg @param {SVGGraphicsElement | null} first what to begin with where all is too small */
  adopt(svg, first) {
    this.svg = svg;
    const view = svg.viewBox.baseVal;
    this.home = [view.x, view.y, view.width, view.height];
    this.fit();
    if (first && this.scale < READABLE && this.canvas.clientWidth < NARROW) this.center(first, LEGIBLE);
  }

  /** @param {Box} box @param {boolean} fitted */
  show(box, fitted = false) {
    this.box = box;
    this.fitted = fitted;
    if (!this.svg || !this.canvas.clientWidth) return;
    this.svg.setAttribute("viewBox", box.map((value) => value.toFixed(1)).join(" "));
    this.scale = Math.min(this.canvas.clientWidth / box[2], this.canvas.clientHeight / box[3]);
    const level = LEVELS.find(([below]) => this.scale < below)?.[1] ?? "near";
    for (const [, name] of LEVELS) this.svg.classList.toggle(name, name === level);
  }

  fit() {
    this.show([...this.home], true);
  }

  /** @param {number} factor @param {number} x the point that stays, as a share of the width @param {number} y */
  zoom(factor, x = 0.5, y = 0.5) {
    const [left, top, width, height] = this.box;
    const wide = Math.min(Math.max(width / factor, CLOSEST), this.home[2] * 1.5);
    const high = (height * wide) / width;
    this.show([left + (width - wide) * x, top + (height - high) * y, wide, high]);
  }

  /** Move by pixels. @param {number} dx @param {number} dy @param {Box} from */
  pan(dx, dy, from = this.box) {
    const unit = Math.max(from[2] / this.canvas.clientWidth, from[3] / this.canvas.clientHeight);
    this.show([from[0] - dx * unit, from[1] - dy * unit, from[2], from[3]]);
  }

  /** @param {SVGGraphicsElement} node @param {number} scale */
  center(node, scale = 3) {
    const { x, y, width, height } = node.getBBox();
    const wide = this.canvas.clientWidth / scale, high = this.canvas.clientHeight / scale;
    this.show([x + width / 2 - wide / 2, y + height / 2 - high / 2, wide, high]);
  }

  /** Move so that a node is seen, if it is not. @param {SVGGraphicsElement} node */
  reveal(node) {
    const { x, y, width, height } = node.getBBox(), [left, top, wide, high] = this.box;
    if (x >= left && y >= top && x + width <= left + wide && y + height <= top + high) return;
    this.show([x + width / 2 - wide / 2, y + height / 2 - high / 2, wide, high]);
  }

  resized() {
    if (this.fitted) return this.fit();
    const [left, top, width, height] = this.box;
    const wide = this.canvas.clientWidth / this.scale, high = this.canvas.clientHeight / this.scale;
    this.show([left + (width - wide) / 2, top + (height - high) / 2, wide, high]);
  }

  /** Wheel, pointer and pinch. Returns whether the last press moved the drawing, so that it was no click. */
  listen() {
    const { canvas } = this;
    /** @type {Map<number, PointerEvent>} */
    const touches = new Map();
    /** @type {{x: number, y: number, box: Box} | null} */
    let pressed = null;
    let moved = false;
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const place = canvas.getBoundingClientRect();
      const at = [(event.clientX - place.left) / place.width, (event.clientY - place.top) / place.height];
      this.zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, at[0], at[1]);
    }, { passive: false });
    canvas.addEventListener("pointerdown", (event) => {
      touches.set(event.pointerId, event);
      pressed = { x: event.clientX, y: event.clientY, box: [...this.box] };
      moved = false;
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!touches.has(event.pointerId) || !pressed) return;
      const before = apart([...touches.values()]);
      touches.set(event.pointerId, event);
      const dx = event.clientX - pressed.x, dy = event.clientY - pressed.y;
      if (touches.size === 2) {
        moved = true;
        this.zoom(apart([...touches.values()]) / before);
      } else if (moved || Math.hypot(dx, dy) > 4) {
        moved = true;
        this.pan(dx, dy, pressed.box);
      }
    });
    for (const name of /** @type {const} */ (["pointerup", "pointercancel", "pointerleave"])) {
      canvas.addEventListener(name, (event) => touches.delete(event.pointerId));
    }
    return () => moved;
  }
}

/** @param {PointerEvent[]} touches */
function apart([one, other]) {
  return one && other ? Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1 : 1;
}
