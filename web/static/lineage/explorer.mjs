// @ts-check
// The lineage explorer: choosing, walking, opening, and pictures that the server draws anew.
import { Graph } from "./graph.mjs";
import { panel } from "./panel.mjs";
import { Viewport } from "./viewport.mjs";

const ARROWS = new Map([["ArrowLeft", [-1, 0]], ["ArrowRight", [1, 0]], ["ArrowUp", [0, -1]], ["ArrowDown", [0, 1]]]);
const PICTURE = ["open", "expand"];
const WAIT = 250;

/** @template {Element} T @param {string} selector @param {new () => T} kind @param {ParentNode} [within] @returns {T} */
function one(selector, kind, within = document) {
  const found = within.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`no ${selector}`);
  return found;
}

const canvas = one(".canvas", HTMLElement);
const side = one("aside.side", HTMLElement);
const status = one("#explorer-status", HTMLElement);
const form = one("#explorer-form", HTMLFormElement);
const view = new Viewport(canvas);
let graph = new Graph(one("svg.overview", SVGSVGElement, canvas));
/** @type {import("./graph.mjs").Node | null} */
let chosen = null;

/** @param {Element | null} focus what to focus after a new drawing: a thing by its identifier */
function adopt(focus = null) {
  const svg = one("svg.overview", SVGSVGElement, canvas);
  graph = new Graph(svg);
  for (const link of svg.querySelectorAll("a")) link.setAttribute("tabindex", "-1");
  const first = svg.querySelector(".node.focus") ?? svg.querySelector(".node");
  if (first instanceof SVGAElement) first.setAttribute("tabindex", "0");
  view.adopt(svg, first instanceof SVGAElement ? first : null);
  filter();
  const want = focus?.getAttribute("data-iri") ?? decodeURIComponent(location.hash.slice(1));
  for (const node of graph.nodes.values()) {
    if (want && node.dataset.iri === want) focus ? go(node) : choose(node);
  }
}

function clear() {
  chosen = null;
  canvas.classList.remove("lit");
  for (const each of canvas.querySelectorAll(".on, .chosen")) each.classList.remove("on", "chosen");
  side.hidden = true;
  history.replaceState(null, "", location.pathname + location.search);
}

/** Light everything before and after a thing, and tell about it. @param {import("./graph.mjs").Node} node */
function choose(node) {
  if (chosen === node) return;
  clear();
  chosen = node;
  node.classList.add("chosen");
  canvas.classList.add("lit");
  const past = graph.reached(node, true), future = graph.reached(node, false);
  for (const id of [...past.things, ...future.things]) graph.nodes.get(id)?.classList.add("on");
  for (const edge of [...past.edges, ...future.edges]) edge.classList.add("on");
  panel(side, node, graph, { go, clear, center: () => view.center(node), open: follow });
  side.hidden = false;
  const before = past.things.size - 1, after = future.things.size - 1;
  status.textContent = `${node.dataset.label}: ${before} before it, ${after} after it in the picture`;
  if (node.dataset.iri) history.replaceState(null, "", "#" + encodeURIComponent(node.dataset.iri));
}

/** @param {import("./graph.mjs").Node} node */
function go(node) {
  for (const each of graph.nodes.values()) each.setAttribute("tabindex", "-1");
  node.setAttribute("tabindex", "0");
  node.focus({ preventScroll: true });
  choose(node);
  view.reveal(node);
}

/** Hide relations whose box is not checked. Those within a family dim the square's tie. */
function filter() {
  for (const box of form.ownerDocument.querySelectorAll("[data-relation]")) {
    if (!(box instanceof HTMLInputElement)) continue;
    for (const edge of canvas.querySelectorAll(".edge")) {
      const named = [...edge.classList].filter((name) => name.startsWith("r-"));
      const off = named.every((name) => {
        const its = document.querySelector(`[data-relation="${name}"]`);
        return its instanceof HTMLInputElement && !its.checked;
      });
      edge.classList.toggle("hidden", off);
    }
    if (box.dataset.relation === "r-wasGeneratedBy") canvas.classList.toggle("untied", !box.checked);
  }
}

// Pictures that the server draws

let request = new XMLHttpRequest();

/** @param {URL} wanted @param {URL} page where the browser goes if there is no answer to show
 *  @param {(answer: Document) => void} done */
function ask(wanted, page, done) {
  request.abort();
  const own = request = new XMLHttpRequest();
  own.open("GET", wanted);
  own.responseType = "document";
  own.setRequestHeader("Accept", "text/html");
  own.onload = () => {
    canvas.classList.remove("waiting");
    // Problems have a page of their own.
    if (own.status !== 200 || !own.responseXML) location.assign(page);
    else done(own.responseXML);
  };
  own.onerror = () => {
    canvas.classList.remove("waiting");
    status.textContent = "The server did not answer.";
  };
  own.send();
}

/** @param {Document} answer @param {string[]} kept parts of the page that stay */
function put(answer, kept = []) {
  for (const fresh of answer.querySelectorAll("[data-swap]")) {
    const name = fresh.getAttribute("data-swap") ?? "";
    if (!kept.includes(name)) document.querySelector(`[data-swap="${name}"]`)?.replaceWith(document.importNode(fresh, true));
  }
}

/** Show another picture in this page, at once; then what is told of it. @param {URL} address
 *  @param {boolean} all whether lists and numbers change too */
function swap(address, all) {
  const part = new URL(address);
  part.searchParams.set("part", "explorer");
  canvas.classList.add("waiting");
  ask(part, address, (answer) => {
    // An answer of one thing has no picture.
    if (!answer.querySelector("svg.overview")) return location.assign(address);
    const before = chosen;
    clear();
    put(answer);
    history.replaceState(null, "", address);
    document.title = answer.title;
    adopt(before);
    status.textContent = one("#explorer-count", HTMLElement).textContent;
    if (all) ask(address, address, (page) => put(page, ["picture", "legend"]));
  });
}

/** Follow a link of the picture within this page. @param {SVGAElement} link */
function follow(link) {
  const address = new URL(link.href.baseVal, location.href);
  swap(address, false);
}

/** The address of what the form asks for. */
function asked() {
  const address = new URL(form.action);
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string" && value) address.searchParams.append(name, value);
  }
  return address;
}

let timer = 0;
form.addEventListener("input", (event) => {
  const field = event.target;
  if (!(field instanceof HTMLInputElement || field instanceof HTMLSelectElement) || !field.hasAttribute("data-now")) return;
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (!form.checkValidity()) return;
    const address = asked();
    if (field.name === "collapse") return swap(address, false);
    for (const name of PICTURE) {
      for (const value of new URL(location.href).searchParams.getAll(name)) address.searchParams.append(name, value);
    }
    swap(address, true);
  }, WAIT);
});

// A slider over the entries, beside the list of them

const entries = form.querySelector("#as-of");
if (entries instanceof HTMLSelectElement && entries.options.length > 1) {
  const slider = document.createElement("input");
  Object.assign(slider, { type: "range", min: "0", max: String(entries.options.length - 1), step: "1" });
  slider.setAttribute("aria-label", "As of, from the first entry to now");
  const last = entries.options.length - 1;
  const said = () => {
    slider.value = String(last - entries.selectedIndex);
    slider.setAttribute("aria-valuetext", entries.options[entries.selectedIndex].text);
  };
  slider.addEventListener("input", () => {
    entries.selectedIndex = last - Number(slider.value);
    said();
    entries.dispatchEvent(new Event("input", { bubbles: true }));
  });
  entries.addEventListener("input", said);
  said();
  entries.before(slider);
}

// Pointer and keys

const dragged = view.listen();
canvas.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest(".zoom") || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (dragged()) return;
  const node = target?.closest(".node"), chip = target?.closest(".chip");
  if (chip instanceof SVGAElement) follow(chip);
  else if (node instanceof SVGAElement) node === chosen && node.matches(".group") ? follow(node) : go(node);
  else clear();
});
canvas.addEventListener("keydown", (event) => {
  const node = event.target instanceof Element ? event.target.closest(".node") : null;
  const arrow = ARROWS.get(event.key);
  if (event.ctrlKey || event.metaKey || event.altKey || !(node instanceof SVGAElement)) return;
  if (arrow && event.shiftKey) view.pan(-arrow[0] * 120, -arrow[1] * 120);
  else if (arrow) {
    const next = graph.toward(node, arrow[0], arrow[1]);
    if (next) go(next);
  } else if (event.key === "+" || event.key === "=") view.zoom(1.25);
  else if (event.key === "-") view.zoom(0.8);
  else if (event.key === "0") view.fit();
  else if (event.key === "Escape") clear();
  else if (event.key === "Enter" && node.matches(".group")) follow(node);
  else if (event.key === "Enter") { choose(node); view.center(node); }
  else if (event.key === "x") {
    const chip = canvas.querySelector(`.chip[data-of="${node.id}"]`);
    if (chip instanceof SVGAElement) follow(chip);
  } else return;
  event.preventDefault();
});
canvas.addEventListener("focusin", (event) => {
  const node = event.target instanceof Element ? event.target.closest(".node") : null;
  if (node instanceof SVGAElement) view.reveal(node);
});
for (const [id, act] of Object.entries({
  in: () => view.zoom(1.4), out: () => view.zoom(1 / 1.4), fit: () => view.fit(),
})) one(`#zoom-${id}`, HTMLButtonElement).addEventListener("click", act);
document.addEventListener("change", (event) => {
  if (event.target instanceof Element && event.target.matches("[data-relation]")) filter();
});
document.documentElement.classList.add("scripted");
adopt();
