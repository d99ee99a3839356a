// Adds to pages that are complete without it; other scripts share what it exports.

export const one = (selector, within = document) => within.querySelector(selector);
export const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// Ask before a text gets lost. `data-unsaved`: the server stored it nowhere; `data-kept`: as a draft.
export let sending = false;
const unsent = (form) =>
  !("kept" in form.dataset) &&
  ("unsaved" in form.dataset ||
    all("textarea:not([readonly])", form).some((text) => text.value !== text.defaultValue));

addEventListener("submit", (event) => (sending = !event.defaultPrevented));
// Typed on, or brought back by the back button.
for (const kind of ["pageshow", "input"]) addEventListener(kind, () => (sending = false));
addEventListener("beforeunload", (event) => {
  if (!sending && [...document.forms].some(unsent)) event.preventDefault();
});

// What was posted or discarded needs no copy here; a cookie names its forms.
const settled = document.cookie.match(/\bsettled=([0-9a-f.-]+)/)?.[1].split(".");
if (settled) {
  for (const [key, kept] of Object.entries(localStorage)) {
    if (settled.some((token) => kept.includes(token))) localStorage.removeItem(key);
  }
  document.cookie = "settled=; path=/; max-age=0";
}

// The script of the field in the masthead is fetched once somebody goes there.
const find = one(".find");
find?.addEventListener("focusin", () => import(find.dataset.script), { once: true });

// What the server answers; null where it cannot be reached.
export const sent = (address, body) =>
  fetch(address, body && { method: "POST", body }).catch(() => null);

// The text of that; null also where it refuses or asks to sign in.
export async function ask(address, body) {
  const answer = await sent(address, body);
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
  addEventListener("click", (event) => {
    const link = event.target.closest(selector);
    const plain = link && !event.ctrlKey && !event.metaKey;
    if (plain && act(link) !== false) event.preventDefault();
  });
}

export const boxOf = (node) => node.getBoundingClientRect();
export const idOf = (post) => post.id.slice("post-".length);
export const drawn = (html) => new DOMParser().parseFromString(html ?? "", "text/html");
export const changed = (field) => field.dispatchEvent(new Event("input", { bubbles: true }));
// Tells who listens; false if one of them does the rest.
export const fire = (name, detail) =>
  dispatchEvent(new CustomEvent(name, { detail, cancelable: true }));
