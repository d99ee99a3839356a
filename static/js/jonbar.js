// Adds to pages that are complete without it: nothing here is needed to read or to write.
document.documentElement.classList.add("js");

// Ask before a text that was typed and not sent gets lost. `data-unsaved`: the server gave it back
// and stored it nowhere; `data-kept`: the server holds it as a draft.
let sending = false;
const unsent = (form) =>
  !form.hasAttribute("data-kept") &&
  (form.hasAttribute("data-unsaved") ||
    [...form.querySelectorAll("textarea:not([readonly])")].some((t) => t.value !== t.defaultValue));

addEventListener("submit", (event) => {
  sending = !event.defaultPrevented;
});
// A page that the back button brings back is not sending any more.
addEventListener("pageshow", () => {
  sending = false;
});
addEventListener("beforeunload", (event) => {
  if (!sending && [...document.forms].some(unsent)) event.preventDefault();
});

// What was posted or discarded needs no copy here; a cookie names the forms it was written in.
const settled = document.cookie.match(/(?:^|; )settled=([0-9a-f.-]+)/)?.[1].split(".") ?? [];
if (settled.length) {
  for (const key of Object.keys(localStorage)) {
    const kept = key.startsWith("draft:") ? localStorage.getItem(key) : "";
    if (settled.some((token) => kept.includes(token))) localStorage.removeItem(key);
  }
  document.cookie = "settled=; path=/; max-age=0";
}

// What the field in the masthead offers while one types is fetched once somebody goes there.
const find = document.querySelector(".find form");
find?.addEventListener("focusin", () => import(find.dataset.script), { once: true });
