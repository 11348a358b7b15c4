// The search box of every page: suggestions while one types, and the look-up of a file by its SHA-256.
// Without this script the box is a form, and `sha256sum FILE` prints what to put into it.
// @ts-check

const MOST_BYTES = 256 * 1024 * 1024;
const PAUSE = 200; // milliseconds without a key before suggestions are fetched

const box = /** @type {HTMLInputElement | null} */ (document.getElementById("search"));
const form = box?.form;
const list = document.getElementById("suggestions");

/** @param {string} text */
function say(text) {
  let line = document.getElementById("search-status");
  if (!line) {
    line = document.createElement("p");
    line.id = "search-status";
    line.className = "notice";
    line.setAttribute("role", "status");
    document.getElementById("main")?.prepend(line);
  }
  line.textContent = text;
}

/** @param {File} file */
async function lookUp(file) {
  const quoted = `'${file.name.replaceAll("'", `'\\''`)}'`;
  if (!window.isSecureContext || !crypto.subtle) {
    say(`This page is not in a secure context (HTTPS, or this machine), so that the browser computes no SHA-256. Run: sha256sum ${quoted}`);
  } else if (file.size > MOST_BYTES) {
    say(`${file.name} is larger than 256 MB. Run: sha256sum ${quoted} and search for what it prints.`);
  } else {
    say(`Computing the SHA-256 of ${file.name}…`);
    try {
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
      if (box && form) {
        box.value = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
        form.requestSubmit();
      }
    } catch (error) {
      say(`${file.name} cannot be read (${error}). Run: sha256sum ${quoted}`);
    }
  }
}

let timer = 0;
let asked = "";

async function suggest() {
  const text = box?.value.trim() ?? "";
  if (!form || !list || text.length < 2 || text === asked) return;
  asked = text;
  const answer = await fetch(`${form.action}?${new URLSearchParams({ q: text, limit: "10", format: "json" })}`).catch(() => null);
  if (!answer?.ok || text !== asked) return;
  const found = await answer.json();
  const names = [
    ...found.projects.map((/** @type {{name: string}} */ project) => project.name),
    ...found.documents.map((/** @type {{title: string}} */ document) => document.title),
    ...found.things.map((/** @type {{label: string, iri: string}} */ thing) => thing.label || thing.iri),
  ];
  list.replaceChildren(
    ...[...new Set(names)].map((name) => {
      const option = document.createElement("option");
      option.value = name;
      return option;
    }),
  );
}

if (box && form) {
  box.addEventListener("input", () => {
    clearTimeout(timer);
    timer = window.setTimeout(suggest, PAUSE);
  });
  form.addEventListener("dragover", (event) => event.preventDefault());
  form.addEventListener("drop", (event) => {
    const files = event.dataTransfer?.files ?? [];
    if (!files.length) return;
    event.preventDefault();
    if (files.length === 1) void lookUp(files[0]);
    else say(`${files.length} files were dropped. One is looked up at a time.`);
  });
}
