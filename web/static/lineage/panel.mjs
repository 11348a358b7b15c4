// @ts-check
// What is known of a chosen thing, beside the picture. Texts of users are text nodes in elements of their own.

/** @typedef {import("./graph.mjs").Node} Node */
/** @typedef {{go: (node: Node) => void, clear: () => void, center: () => void, open: (node: SVGAElement) => void}} Acts */

const LISTED = 12;

/** @param {string} name @param {string} [className] @param {(string | globalThis.Node)[]} children */
function element(name, className = "", ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** @param {string | undefined} text */
function isolated(text) {
  const made = element("bdi", "", text ?? "");
  made.dir = "auto";
  return made;
}

/** @param {string} words @param {() => void} act @param {string} className */
function button(words, act, className = "") {
  const made = element("button", className, isolated(words));
  made.setAttribute("type", "button");
  made.addEventListener("click", act);
  return made;
}

/** @param {string} words @param {string} path @param {string[]} iris */
function link(words, path, ...iris) {
  const made = document.createElement("a");
  made.href = `${path}?${new URLSearchParams(iris.map((iri) => ["iri", iri]))}`;
  made.append(words);
  return made;
}

/** @param {Node} node */
function kind(node) {
  return ["entity", "activity", "agent"].find((name) => node.classList.contains(name)) ?? "thing";
}

/** @param {HTMLElement} side @param {Node} node @param {import("./graph.mjs").Graph} graph @param {Acts} acts */
export function panel(side, node, graph, acts) {
  const { label, iri, type, by, count } = node.dataset;
  const places = side.dataset, start = places.start ?? "";
  const parts = [
    element("p", `kind ${kind(node)}`, kind(node), ...(type ? [" · ", isolated(type)] : [])),
    element("h2", "", isolated(label)),
  ];
  if (iri) parts.push(element("p", "iri", isolated(iri)));
  if (count) parts.push(element("p", "", `Stands for ${Number(count).toLocaleString("en")} things.`));
  if (by) parts.push(element("h3", "", "Answered for by"), element("p", "", isolated(by)));
  for (const back of [true, false]) parts.push(...neighbors(node, graph, back, acts));
  const on = [true, false].map((back) => (graph.reached(node, back).things.size - 1).toLocaleString("en"));
  parts.push(element("h3", "", "On its path in the picture"), element("p", "", `${on[0]} before, ${on[1]} after`));
  const tools = element("div", "tools", button("Center", acts.center), button("Close", () => {
    node.focus({ preventScroll: true });
    acts.clear();
  }));
  if (node.matches(".group")) tools.prepend(button("Open", () => acts.open(node)));
  const links = element("ul", "links");
  if (iri) {
    links.append(element("li", "", link("All assertions about it", places.thing ?? "", iri)));
    if (iri !== start) {
      const whole = element("a", "", "Its own lineage");
      whole.setAttribute("href", node.href.baseVal);
      links.append(element("li", "", whole));
      links.append(element("li", "", link("What it has in common with the start", places.common ?? "", start, iri)));
    }
  }
  side.replaceChildren(...parts, links, tools);
}

/** @param {Node} node @param {import("./graph.mjs").Graph} graph @param {boolean} back @param {Acts} acts */
function neighbors(node, graph, back, acts) {
  const found = graph.neighbors(node, back);
  const title = back ? "Came from" : "Went into";
  const list = element("ul");
  for (const each of found.slice(0, LISTED)) {
    list.append(element("li", `kind ${kind(each)}`, button(each.dataset.label ?? "", () => acts.go(each), "plain")));
  }
  if (found.length > LISTED) list.append(element("li", "quiet", `and ${found.length - LISTED} more: see the list`));
  return [element("h3", "", found.length ? `${title} (${found.length})` : `${title}: nothing in the picture`), list];
}
