// Adds to pages that are complete without it: nothing here is needed to read or to write.
document.documentElement.classList.add("js");

// Ask before a text that was typed and not sent gets lost. `data-unsaved` marks a form whose text
// the server gave back: it is stored nowhere, though nobody has typed in this page yet; `data-kept`
// one whose draft the server holds.
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
