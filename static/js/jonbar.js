// Adds to pages that are complete without it. The scripts of single pages share what it exports.

// Ask before a text that was typed and not sent gets lost. `data-unsaved`: the server gave it back
// and stored it nowhere; `data-kept`: the server holds it as a draft.
export let sending = false;
const unsent = (form) =>
  !("kept" in form.dataset) &&
  ("unsaved" in form.dataset ||
    [...form.querySelectorAll("textarea:not([readonly])")].some((t) => t.value !== t.defaultValue));

addEventListener("submit", (event) => (sending = !event.defaultPrevented));
// Typed on, or brought back by the back button: it is not sent any more.
for (const kind of ["pageshow", "input"]) addEventListener(kind, () => (sending = false));
addEventListener("beforeunload", (event) => {
  if (!sending && [...document.forms].some(unsent)) event.preventDefault();
});

// What was posted or discarded needs no copy here; a cookie names the forms it was written in.
const settled = document.cookie.match(/\bsettled=([0-9a-f.-]+)/)?.[1].split(".");
if (settled) {
  for (const [key, kept] of Object.entries(localStorage)) {
    if (settled.some((token) => kept.includes(token))) localStorage.removeItem(key);
  }
  document.cookie = "settled=; path=/; max-age=0";
}

// What the field in the masthead offers while one types is fetched once somebody goes there.
const find = document.querySelector(".find");
find?.addEventListener("focusin", () => import(find.dataset.script), { once: true });

// The text that the server answers; null where it refuses, asks to sign in or cannot be reached.
export async function ask(address, body) {
  const answer = await fetch(address, body && { method: "POST", body }).catch(() => null);
  return answer?.ok && !answer.redirected ? answer.text() : null;
}

// Does it once nothing asked for it for a while.
export function rested(doIt, after) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(doIt, after);
  };
}

// A press of a link does this instead, unless it returns false or a key is held.
export function pressed(selector, act) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest(selector);
    const plain = link && !event.ctrlKey && !event.metaKey;
    if (plain && act(link) !== false) event.preventDefault();
  });
}

export const idOf = (post) => post.id.slice("post-".length);
export const drawn = (html) => new DOMParser().parseFromString(html, "text/html");
// Tells who listens; false if one of them does the rest.
export const fire = (name, detail) =>
  document.dispatchEvent(new CustomEvent(name, { detail, cancelable: true }));
