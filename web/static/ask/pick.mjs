// @ts-check
// The pickers of named queries: things of a kind whose words one types, beyond those that the page suggests.

const PAUSE = 200; // milliseconds without a key before the server is asked
const LEAST = 2;

const gallery = document.querySelector(".gallery");
let timer = 0;

/** @param {HTMLInputElement} field */
async function suggest(field) {
  const text = field.value.trim(), list = field.list, kind = field.dataset.of ?? "";
  if (!(gallery instanceof HTMLElement) || !list || text.length < LEAST || kind === "dataset") return;
  const project = field.form?.elements.namedItem("project");
  const asked = new URLSearchParams({ q: text, kind, limit: "20", format: "json" });
  if (project instanceof HTMLSelectElement && project.value) asked.set("project", project.value);
  const answer = await fetch(`${gallery.dataset.search}?${asked}`).catch(() => null);
  if (!answer?.ok || field.value.trim() !== text) return;
  const known = new Set([...list.querySelectorAll("option")].map((option) => option.value));
  for (const { iri, label } of (await answer.json()).things) {
    const option = document.createElement("option");
    option.value = list.id.startsWith("text") ? label : iri;
    option.textContent = label;
    if (option.value && !known.has(option.value)) list.append(option);
  }
}

gallery?.addEventListener("input", ({ target }) => {
  if (!(target instanceof HTMLInputElement) || !target.dataset.of) return;
  clearTimeout(timer);
  timer = window.setTimeout(suggest, PAUSE, target);
});
