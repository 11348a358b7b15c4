// @ts-check
// Sends the form of the page 0.5 s after the last key, and shows the checked part of the answer. The server makes all of
// it; without this script the buttons of the form do the same.
const form = /** @type {HTMLFormElement} */ (document.getElementById("submission"));
const text = /** @type {HTMLTextAreaElement | null} */ (form.querySelector("#text"));
const file = /** @type {HTMLInputElement | null} */ (form.querySelector("#file"));
/** @type {XMLHttpRequest | undefined} */
let asked;
/** @type {number | undefined} */
let wait;

/** Number the lines of the text, up to 2,000. */
function number() {
  const gutter = document.getElementById("gutter");
  if (!text || !gutter) return;
  const lines = Math.min(2000, text.value.split("\n").length);
  text.rows = Math.max(18, lines + 1);
  while (gutter.children.length > lines) gutter.lastElementChild?.remove();
  while (gutter.children.length < lines) {
    const item = document.createElement("li");
    item.textContent = String(gutter.children.length + 1);
    gutter.append(item);
  }
}

/** Send the form and take over the parts of the answer.
 * @param {[string, string][]} more - further fields, as of a pressed button */
function check(more = []) {
  clearTimeout(wait);
  asked?.abort();
  const fields = new FormData(form);
  for (const [name, value] of more) fields.set(name, value);
  const request = asked = new XMLHttpRequest();
  request.open("POST", form.getAttribute("action") ?? ""); // a button is called "action"
  request.setRequestHeader("Accept", "text/html");
  request.responseType = "document";
  form.classList.add("waiting");
  request.addEventListener("load", () => {
    form.classList.remove("waiting");
    const answer = request.responseXML;
    const found = answer?.getElementById("checked");
    if (!found) return fail(answer?.querySelector(".lead")?.textContent ?? `The server answered ${request.status}.`);
    const changed = /** @type {HTMLTextAreaElement | null} */ (answer?.getElementById("text"));
    if (text && changed && more.length) text.value = changed.value;
    for (const id of ["checked", "gutter", "preview", "profiles-chosen"]) {
      const part = answer?.getElementById(id), here = document.getElementById(id);
      if (part && here) here.replaceChildren(...document.importNode(part, true).childNodes);
    }
    for (const hidden of form.querySelectorAll("input[type=hidden]")) {
      const now = answer?.querySelector(`#${form.id} input[name="${hidden.getAttribute("name")}"]`);
      if (now) hidden.setAttribute("value", now.getAttribute("value") ?? "");
    }
    number();
  });
  request.addEventListener("error", () => { form.classList.remove("waiting"); fail("The server cannot be reached."); });
  request.send(fields);
}

/** @param {string} words - what went wrong */
function fail(words) {
  const notice = document.createElement("p");
  notice.className = "notice bad";
  notice.setAttribute("role", "alert");
  notice.textContent = words;
  document.getElementById("checked")?.prepend(notice);
}

/** Show a chosen file in the text; it is sent itself, byte for byte, until the text is changed.
 * @param {File | undefined} chosen */
async function open(chosen) {
  if (!chosen || !text) return;
  if (file && file.files && file.files.length > 1) {
    text.value = ""; // each is checked on its own
    number();
    return check();
  }
  text.value = chosen.size > 262144 ? "" : await chosen.text();
  number();
  check();
}

/** Select a line of the text. @param {number} line */
function go(line) {
  if (!text) return;
  const lines = text.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  text.focus({ preventScroll: true });
  text.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  document.getElementById("gutter")?.children[line - 1]?.scrollIntoView({ block: "center" });
}

form.addEventListener("input", event => {
  if (event.target === file) return;
  if (event.target === text && file) file.value = "";
  if (event.target === text) number();
  clearTimeout(wait);
  wait = setTimeout(check, 500);
});
file?.addEventListener("change", () => open(file.files?.[0]));
form.addEventListener("click", event => {
  const target = /** @type {Element} */ (event.target);
  const link = target.closest("a[data-line]");
  if (link) {
    event.preventDefault();
    return go(Number(link.getAttribute("data-line")));
  }
  const button = target.closest("button");
  if (button && !button.hasAttribute("formaction") && button.form === form) {
    event.preventDefault();
    check(button.name ? [[button.name, button.value]] : []);
  }
});
const drop = document.getElementById("drop");
for (const name of ["dragover", "dragleave", "drop"]) {
  form.addEventListener(name, event => {
    if (!(event instanceof DragEvent) || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    drop?.classList.toggle("over", name === "dragover");
    if (name === "drop" && file) {
      file.files = event.dataTransfer.files;
      open(file.files[0]);
    }
  });
}
