// @ts-check
// The things and relations of a drawing, read from its elements. Relations come from statements, not from boxes.

/** @typedef {SVGAElement} Node */

export class Graph {
  /** @param {SVGSVGElement} svg */
  constructor(svg) {
    const found = /** @type {NodeListOf<Node>} */ (svg.querySelectorAll(".node"));
    /** @type {Map<string, Node>} */
    this.nodes = new Map([...found].map((node) => [node.id, node]));
    /** @type {Map<string, [string, Element | null][]>} */
    this.before = new Map();
    /** @type {Map<string, [string, Element | null][]>} */
    this.after = new Map();
    for (const edge of svg.querySelectorAll(".edge")) {
      for (const pair of edge.getAttribute("data-pairs")?.split(" ") ?? []) {
        const [newer, older] = pair.split(">");
        this.join(newer, older, edge);
      }
    }
    for (const node of found) if (node.dataset.made) this.join(node.id, node.dataset.made, null);
  }

  /** @param {string} newer @param {string} older @param {Element | null} edge */
  join(newer, older, edge) {
    this.before.set(newer, [...(this.before.get(newer) ?? []), [older, edge]]);
    this.after.set(older, [...(this.after.get(older) ?? []), [newer, edge]]);
  }

  /** @param {Node} node @param {boolean} back whether to go to the past */
  neighbors(node, back) {
    const ids = new Set(((back ? this.before : this.after).get(node.id) ?? []).map(([id]) => id));
    ids.delete(node.id);
    return [...ids].map((id) => this.nodes.get(id)).filter((each) => each !== undefined);
  }

  /** All things before or after one, itself included, and the arrows on the way. @param {Node} node @param {boolean} back */
  reached(node, back) {
    const relations = back ? this.before : this.after;
    /** @type {Set<string>} */
    const things = new Set([node.id]);
    /** @type {Set<Element>} */
    const edges = new Set();
    for (const id of things) {
      for (const [other, edge] of relations.get(id) ?? []) {
        things.add(other);
        if (edge) edges.add(edge);
      }
    }
    return { things, edges };
  }

  /** The nearest node in a direction, related ones first. @param {Node} from @param {number} dx @param {number} dy */
  toward(from, dx, dy) {
    const middle = (/** @type {Node} */ node) => {
      const { x, y, width, height } = node.getBBox();
      return [x + width / 2, y + height / 2];
    };
    const related = new Set([...this.neighbors(from, true), ...this.neighbors(from, false)]);
    const [x, y] = middle(from);
    /** @type {Node | null} */
    let best = null;
    let least = Infinity;
    for (const node of this.nodes.values()) {
      const [a, b] = middle(node);
      const along = (a - x) * dx + (b - y) * dy;
      const across = Math.abs((a - x) * dy) + Math.abs((b - y) * dx);
      const cost = along + 2.2 * across - (related.has(node) ? 400 : 0);
      if (node !== from && along > 3 && cost < least) [best, least] = [node, cost];
    }
    return best;
  }
}
