// @ts-check
// The query page: an editor in the place of the text field, the time that a query runs, and a button that cancels it.
import { completion } from "./completion.mjs";

const form = document.querySelector("#query-form");
const area = document.querySelector("#query");
if (form instanceof HTMLFormElement && area instanceof HTMLTextAreaElement) start(form, area);

/** @param {HTMLFormElement} form @param {HTMLTextAreaElement} area */
async function start(form, area) {
  running(form);
  sharing();
  try {
    await edit(form, area);
  } catch {
    area.hidden = false; // The text field serves as well.
  }
}

/** @param {HTMLFormElement} form @param {HTMLTextAreaElement} area */
async function edit(form, area) {
  const { editor = "", terms = "", prefixes = "{}" } = form.dataset;
  const cm = await import(editor);
  const host = document.createElement("div");
  host.className = "editor";
  const root = host.attachShadow({ mode: "open" });
  const color = (/** @type {string} */ name) => ({ color: `var(--code-${name})` });
  const { tags } = cm;
  const highlight = cm.HighlightStyle.define([
    { tag: [tags.keyword, tags.operatorKeyword, tags.controlKeyword, tags.definitionKeyword], ...color("keyword") },
    { tag: [tags.variableName, tags.special(tags.variableName)], ...color("variable") },
    { tag: [tags.string, tags.number, tags.bool, tags.literal], ...color("literal") },
    { tag: [tags.namespace, tags.url, tags.propertyName, tags.typeName], ...color("name") },
    { tag: tags.comment, ...color("comment"), fontStyle: "italic" },
  ]);
  const theme = cm.EditorView.theme({
    "&": { font: "0.875rem/1.5 ui-monospace, 'DejaVu Sans Mono', monospace", color: "var(--text)", minHeight: "12rem", maxHeight: "60vh" },
    "&.cm-focused": { outline: "2px solid var(--link)" },
    ".cm-scroller": { fontFamily: "inherit", lineHeight: "inherit", overflow: "auto" },
    ".cm-content": { caretColor: "var(--text)" },
    ".cm-cursor": { borderLeftColor: "var(--text)" },
    ".cm-gutters": { background: "var(--panel)", color: "var(--quiet)", border: "0" },
    ".cm-activeLine": { background: "var(--active)" },
    "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { background: "var(--selected) !important" },
    ".cm-tooltip": { background: "var(--page)", color: "var(--text)", border: "1px solid var(--rule)" },
    ".cm-tooltip-autocomplete ul li[aria-selected]": { background: "var(--link)", color: "var(--page)" },
    ".cm-matchingBracket": { background: "var(--selected) !important" },
  });
  const run = () => {
    form.requestSubmit();
    return true;
  };
  const view = new cm.EditorView({
    root,
    parent: root,
    state: cm.EditorState.create({
      doc: area.value,
      extensions: [
        cm.lineNumbers(), cm.history(), cm.drawSelection(), cm.bracketMatching(), cm.closeBrackets(), cm.indentOnInput(),
        cm.highlightActiveLine(), cm.sparql(), cm.syntaxHighlighting(highlight), theme, cm.EditorView.lineWrapping,
        cm.autocompletion({ override: [completion(terms, JSON.parse(prefixes))] }),
        cm.keymap.of([{ key: "Mod-Enter", run }, ...cm.completionKeymap, ...cm.historyKeymap, ...cm.defaultKeymap]),
        cm.EditorView.contentAttributes.of({ "aria-label": "SPARQL query", "aria-multiline": "true" }),
        cm.EditorView.updateListener.of((/** @type {any} */ update) => {
          if (update.docChanged) area.value = update.state.doc.toString();
        }),
      ],
    }),
  });
  area.after(host);
  area.hidden = true;
  area.required = false;
  document.querySelector(`label[for="${area.id}"]`)?.addEventListener("click", () => view.focus());
}

/** Run queries within the page, so that their time is seen and they can be canceled. @param {HTMLFormElement} form */
function running(form) {
  const state = document.querySelector("#query-state"), cancel = document.querySelector("#query-cancel");
  if (!state || !(cancel instanceof HTMLButtonElement)) return;
  /** @type {{request: XMLHttpRequest, id: string, timer: number} | null} */
  let now = null;
  const stop = (/** @type {string} */ words) => {
    if (now) clearInterval(now.timer);
    now = null;
    cancel.hidden = true;
    state.textContent = words;
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    now?.request.abort();
    if (now) clearInterval(now.timer);
    const address = new URL(form.action);
    for (const [name, value] of new FormData(form)) if (typeof value === "string") address.searchParams.append(name, value);
    if (!address.searchParams.get("query")?.trim()) return stop("There is no query to run.");
    const id = crypto.getRandomValues(new Uint8Array(16)).reduce((text, byte) => text + byte.toString(16).padStart(2, "0"), "");
    const sent = new URL(address);
    sent.searchParams.set("cancel_id", id);
    const request = new XMLHttpRequest();
    const begun = performance.now();
    const seconds = () => ((performance.now() - begun) / 1000).toFixed(1);
    request.open("GET", sent);
    request.responseType = "document";
    request.setRequestHeader("Accept", "text/html");
    request.onload = () => {
      const answer = request.responseXML?.querySelector("#answer"), old = document.querySelector("#answer");
      if (!answer || !old) return location.assign(address);
      old.replaceWith(document.importNode(answer, true));
      history.pushState(null, "", address);
      stop(`${seconds()} s`);
      sharing();
    };
    request.onerror = () => stop("The server did not answer.");
    const timer = setInterval(() => { state.textContent = `Running for ${seconds()} s`; }, 100);
    now = { request, id, timer };
    cancel.hidden = false;
    request.send();
  });
  cancel.addEventListener("click", async () => {
    if (!now) return;
    const { cancel: address = "" } = form.dataset;
    await fetch(address + now.id, { method: "DELETE" }).catch(() => null);
    now?.request.abort();
    stop("Canceled.");
  });
  addEventListener("popstate", () => location.reload());
}

/** A button that copies the address of the query. */
function sharing() {
  const share = document.querySelector("#share");
  if (!(share instanceof HTMLAnchorElement) || !navigator.clipboard) return;
  share.addEventListener("click", async (event) => {
    event.preventDefault();
    await navigator.clipboard.writeText(share.href);
    share.textContent = "Link copied";
  });
}
