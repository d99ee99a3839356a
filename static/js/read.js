// Reading a debate: keys for its links and buttons, links copied, a switch of view that keeps the place.

import { fire, idOf, pressed } from "./jonbar.js";

const posts = () => [...document.querySelectorAll(".post[id]")];
const postOf = (node) => node?.closest(".post[id]");

// For visitors, once they choose words.
const quoting = () => import("./quote.js");
document.addEventListener("selectionchange", quoting, { once: true });

pressed("a.copy", (link) => {
  if (!navigator.clipboard) return false;
  const say = (words) => quoting().then(() => fire("told", { post: postOf(link), words }));
  navigator.clipboard.writeText(link.href).then(() => say("Link copied."), () => say(link.href));
});

// The post one is at; none above the first.
const reached = () =>
  postOf(document.activeElement) ??
  posts().findLast((post) => post.getBoundingClientRect().top < innerHeight / 3);
const current = () => reached() ?? posts()[0];

function go(post) {
  if (!post) return;
  post.tabIndex = -1;
  post.focus({ preventScroll: true });
  post.scrollIntoView({ block: "start" });
}

function step(by) {
  const all = posts();
  go(all[Math.max(all.indexOf(reached()) + by, 0)]); // none beyond the last
}

const press = (selector) => current()?.querySelector(selector)?.click();
const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  n: () => {
    const all = posts();
    const next = all.slice(all.indexOf(reached()) + 1).find((post) => post.matches(".fresh"));
    next ? go(next) : document.querySelector("a.elsewhere")?.click();
  },
  p: () => {
    const link = current()?.querySelector("a.parent");
    const here = link?.hash && document.querySelector(link.hash);
    here ? go(here) : link?.click();
  },
  r: () => press("a.reply"),
  q: () => (document.querySelector(".offer button") ?? current()?.querySelector("a.cite"))?.click(),
  f: () => press("[name=fold], [name=unfold], a.fold-link"),
  "?": () => location.assign("/keys/"),
};

addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.activeElement.closest(".term")?.blur();
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (localStorage.getItem("keys") === "off" || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});

// The switch keeps the place: the post last focused or linked to, else that on top before one scrolled
// up to the switch.
const inSight = (node) => {
  const box = node?.getBoundingClientRect();
  return box?.bottom > 0 && box.top < innerHeight;
};
let place = postOf(document.querySelector(":target"));
addEventListener("focusin", (event) => (place = postOf(event.target) ?? place));
addEventListener("scrollend", () => {
  if (!inSight(document.querySelector("a.view")) && !inSight(place)) place = current();
});
for (const link of document.querySelectorAll("a.view")) {
  link.addEventListener("click", () => {
    const view = new URL(link.href).searchParams.get("view");
    if (place) link.href = `/posts/${idOf(place)}/?view=${view}`;
  });
}
