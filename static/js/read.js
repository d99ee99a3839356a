// Reading a debate: its keys, links copied, a switch of view that keeps the place.

import { all, boxOf, fire, idOf, one, pressed } from "./jonbar.js";

const posts = () => all(".post[id]");
const postOf = (node) => node?.closest(".post[id]");

// For visitors, once they choose words.
const quoting = () => import("./quote.js");
addEventListener("selectionchange", quoting, { once: true, capture: true });

pressed("a.copy", (link) => {
  if (!navigator.clipboard) return false;
  const say = (words) => quoting().then(() => fire("announce", { post: postOf(link), words }));
  navigator.clipboard.writeText(link.href).then(() => say("Link copied."), () => say(link.href));
});

// The post one is at; none above the first.
const reached = () =>
  postOf(document.activeElement) ??
  posts().findLast((post) => boxOf(post).top < innerHeight / 3);
const current = () => reached() ?? posts()[0];

function go(post) {
  if (!post) return;
  post.tabIndex = -1;
  post.focus({ preventScroll: true });
  post.scrollIntoView();
}

function step(by) {
  const list = posts();
  go(list[Math.max(list.indexOf(reached()) + by, 0)]); // none beyond the last
}

const press = (selector, within = current()) => one(selector, within)?.click();
const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  n: () => {
    const list = posts();
    const next = list.slice(list.indexOf(reached()) + 1).find((post) => post.matches(".fresh"));
    next ? go(next) : press("a.elsewhere", document);
  },
  p: () => {
    const link = one("a.parent", current());
    const here = link?.hash && one(link.hash);
    here ? go(here) : link?.click();
  },
  r: () => press("a.reply"),
  q: () => (one(".offer button") ?? one("a.cite", current()))?.click(),
  f: () => press("[name=fold], [name=unfold], a.fold-link"),
  "?": () => location.assign("/keys/"),
};

addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.activeElement.closest(".term")?.blur();
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (localStorage.keys === "off" || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});

// The switch keeps the place: the post last focused or linked to, else that on top before one went up.
const inSight = (node) => node && boxOf(node).bottom > 0 && boxOf(node).top < innerHeight;
let place = postOf(one(":target"));
addEventListener("focusin", (event) => (place = postOf(event.target) ?? place));
addEventListener("scrollend", () => {
  if (!inSight(one("a.view")) && !inSight(place)) place = current();
});
for (const link of all("a.view")) {
  link.onclick = () => {
    if (place) link.href = `/posts/${idOf(place)}/?view=${new URL(link.href).searchParams.get("view")}`;
  };
}
