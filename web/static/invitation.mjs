// @ts-check
// Copies the secret of an invitation from the fragment of the address into the form, and removes it from the address. It
// stays in this tab until the form is sent, so that signing in before does not lose it.
const id = location.pathname.split("/").pop() || "";
const key = `invitation ${id}`;
const field = /** @type {HTMLInputElement | null} */ (document.getElementById("secret"));

function take() {
  const given = location.hash.slice(1);
  if (given) {
    sessionStorage.setItem(key, given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  if (field) {
    field.value = sessionStorage.getItem(key) || "";
  }
}

take();
// The link opened again in the same tab loads no page.
addEventListener("hashchange", take);
field?.form?.addEventListener("submit", () => sessionStorage.removeItem(key));
