// Reading a debate: select words to quote them, keys, a switch of view that keeps the place. Each has
// a link or button of its own on the page.

const posts = () => [...document.querySelectorAll(".post[id]")];
const postOf = (node) => (node?.nodeType === 1 ? node : node?.parentElement)?.closest(".post[id]");
const idOf = (post) => post.id.slice("post-".length);

// --- Select to quote

// A press on a link ends the selection, so the last one is remembered until the next press.
let chosen = [];
let offer = null; // what stands at the words chosen
let resting = 0;
document.addEventListener("selectionchange", () => {
  const selection = getSelection();
  if (selection.isCollapsed) return;
  chosen = passages(selection.getRangeAt(0));
  clearTimeout(resting);
  resting = setTimeout(offerToQuote, 150); // once the pointer or the key rests
});
document.addEventListener("pointerdown", (event) => {
  if (event.target.closest(".cite, .offer")) return;
  chosen = [];
  // In the text's flow it stays: what is pressed would move away.
  if (!offer?.matches(".resting")) offer?.remove();
});

const made = (name, values) => Object.assign(document.createElement(name), values);

function stand(post, ...what) {
  offer?.remove();
  offer = made("p", { className: "offer" });
  offer.append(...what);
  const range = getSelection().rangeCount ? getSelection().getRangeAt(0) : null;
  post.querySelector(".prose").after(offer);
  const box = post.getBoundingClientRect();
  const last = [...(range?.getClientRects() ?? [])].findLast(
    ({ top, bottom, width }) => width && top >= box.top && bottom <= box.bottom,
  );
  offer.classList.toggle("resting", !last);
  if (!last) return;
  offer.style.top = `${last.bottom - box.top + 4}px`;
  offer.style.left = `${Math.max(Math.min(last.left - box.left, box.width - offer.offsetWidth), 0)}px`;
}

function offerToQuote() {
  if (!chosen.length || getSelection().isCollapsed) return;
  const { post } = chosen.at(-1);
  const button = made("button", { type: "button", textContent: "Quote these words" });
  button.addEventListener("mousedown", (event) => event.preventDefault()); // it would end the selection
  button.addEventListener("click", () => collect(post));
  stand(post, button);
}

document.addEventListener("told", ({ detail: { post, words, href } }) => {
  const said = made("span", { role: "status" });
  stand(post, said);
  said.textContent = words;
  if (!href) return;
  const link = made("a", { href, textContent: "Go to it" });
  link.addEventListener("click", () => offer.remove());
  offer.append(link);
});

// The words of a selection, post by post: whole words, no quotes of others, no margin notes.
function passages(range) {
  const found = [];
  for (const prose of document.querySelectorAll(".post[id] .prose")) {
    if (!range.intersectsNode(prose)) continue;
    const part = document.createRange();
    part.selectNodeContents(prose);
    if (prose.contains(range.startContainer)) part.setStart(...outOfWord(range.startContainer, range.startOffset, -1));
    if (prose.contains(range.endContainer)) part.setEnd(...outOfWord(range.endContainer, range.endOffset, 1));
    const around = part.commonAncestorContainer;
    if ((around.nodeType === 1 ? around : around.parentElement).closest(NOT_ITS_OWN)) continue;
    const words = sourceOf(within(part, prose));
    if (words) found.push({ post: postOf(prose), words });
  }
  return found;
}

const NOT_ITS_OWN =
  "figure, blockquote, .margin, .footnote-ref, .footnote-back, .meaning, summary";
const LETTER = /[\p{L}\p{M}\p{N}'’-]/u;

// A place of a text, or the nearest one in this direction that no word runs on across.
function outOfWord(node, at, by) {
  const letter = (n) => node.nodeType === 3 && LETTER.test(node.data[n] ?? "");
  while (letter(at - 1) && letter(at)) at += by;
  return [node, at];
}

// What a range holds, with the elements around it that make it struck, hidden or stressed.
function within(range, prose) {
  let fragment = range.cloneContents();
  let around = range.commonAncestorContainer;
  if (around.nodeType !== 1) around = around.parentElement;
  for (; around !== prose; around = around.parentElement) {
    const copy = around.cloneNode(false);
    copy.append(fragment);
    if (around.matches("details")) copy.prepend(around.querySelector("summary").cloneNode(true));
    fragment = document.createDocumentFragment();
    fragment.append(copy);
  }
  return fragment;
}

const SIGNS = { EM: "*", STRONG: "**", S: "~~", SPAN: "||" };
const BLOCKS = "p, li, h4, h5, h6, pre, tr, td, th, ul, ol, table";
const GAP = "\0"; // no text of a page holds it

// The Markdown of a fragment: its own words and their marks, "[…]" where it quotes somebody else.
function sourceOf(fragment) {
  const blocks = [...fragment.childNodes].map(markdown).join("").split(/\n\s*\n/);
  const lines = blocks.map((block) => block.trim()).filter(Boolean);
  while (lines[0] === GAP) lines.shift();
  while (lines.at(-1) === GAP) lines.pop();
  if (!lines.some((line) => line !== GAP && !/^\[\/?spoiler/.test(line))) return "";
  return lines
    .join("\n\n")
    .replace(/^([ \t]*|[ \t]*\d+(?=[.)]))([-+=#.)])/gmu, "$1\\$2")
    .replaceAll(GAP, "[…]");
}

function markdown(node) {
  if (node.nodeType === 3) return plain(node.data);
  if (node.nodeType !== 1) return "";
  if (node.matches("figure, blockquote")) return `\n\n${GAP}\n\n`;
  if (node.matches(NOT_ITS_OWN)) return "";
  const inner = [...node.childNodes].map(markdown).join("");
  if (node.matches("details")) {
    const label = node.querySelector("summary")?.textContent.replace(/^Spoiler(: )?/, "") ?? "";
    const tag = label && !/["\]\n]/.test(label) ? `[spoiler="${label}"]` : "[spoiler]";
    return inner.trim() && `\n\n${tag}\n\n${inner}\n\n[/spoiler]\n\n`;
  }
  if (node.matches("br")) return "\n";
  if (node.matches(BLOCKS)) return `\n\n${inner}\n\n`;
  const sign = node.matches("span:not(.spoiler)") ? "" : SIGNS[node.tagName];
  return sign && isRead(sign, inner, node) ? sign + inner + sign : inner;
}

// Whether Markdown will read a sign around these words as one: beside other signs not always.
function isRead(sign, inner, node) {
  const clear = (beside, at) => !beside || (beside.nodeType === 3 && /\s/.test(beside.data.at(at)));
  return (
    !/^\s|\s$|\n\s*\n/.test(inner) &&
    inner[0] !== sign[0] &&
    inner.at(-1) !== sign[0] &&
    (/^[\p{L}\p{N}]/u.test(inner) || clear(node.previousSibling, -1)) &&
    (/[\p{L}\p{N}]$/u.test(inner) || clear(node.nextSibling, 0)) &&
    ![node.previousSibling, node.nextSibling].some((beside) => SIGNS[beside?.tagName])
  );
}

// What Markdown would read as a sign is marked as a letter.
const plain = (words) =>
  words.replace(/[\\`*[\]<>|~]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])|&(?=#?\w+;)/gu, "\\$&");

function quoteForm({ post, words }) {
  const name = post.querySelector(".who h3").textContent.replace(/["[\]]|\s+/g, " ").trim();
  return `[quote="${name}, post: ${idOf(post)}"]\n${words}\n[/quote]\n\n`;
}

const fire = (name, detail) =>
  document.dispatchEvent(new CustomEvent(name, { detail, cancelable: true }));

// Quote what was chosen, else all of the post; false if there is nothing. Where nothing can be
// written, it is kept for the next reply.
function collect(post) {
  if (!chosen.length && post) {
    const range = document.createRange();
    range.selectNodeContents(post.querySelector(".prose"));
    chosen = passages(range).filter((one) => one.post === post);
  }
  if (!chosen.length) return false;
  const at = (chosen.find((one) => one.post === post) ?? chosen.at(-1)).post;
  const quotes = chosen.map(quoteForm);
  chosen = [];
  offer?.remove();
  if (fire("quote", { post: at, words: quotes.join("") })) {
    const collected = JSON.parse(sessionStorage.getItem("collected") ?? "[]");
    sessionStorage.setItem("collected", JSON.stringify([...collected, ...quotes]));
    fire("told", { post: at, words: "Collected for your reply." });
  }
  getSelection().removeAllRanges();
  return true;
}

document.addEventListener("click", (event) => {
  const cite = event.target.closest(".cite");
  if (cite && !event.ctrlKey && !event.metaKey && collect(postOf(cite))) event.preventDefault();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a.copy");
  if (!link || !navigator.clipboard || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const said = (words) => fire("told", { post: postOf(link), words });
  navigator.clipboard.writeText(link.href).then(() => said("Link copied."), () => said(link.href));
});

// --- Keys

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
  const at = all.indexOf(reached());
  go(all[Math.min(Math.max(at + by, 0), all.length - 1)]);
}

const press = (selector) => current()?.querySelector(selector)?.click();
const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  n: () => {
    const all = posts();
    const next = all.slice(all.indexOf(reached()) + 1).find((p) => p.classList.contains("fresh"));
    if (next) go(next);
    else document.querySelector("a.elsewhere")?.click();
  },
  p: () => {
    const link = current()?.querySelector("a.parent");
    const here = link?.hash && document.querySelector(link.hash);
    if (here) go(here);
    else link?.click();
  },
  r: () => press("a.reply"),
  q: () => (chosen.length ? collect() : press("a.cite")),
  f: () => press("[name=fold], [name=unfold], a.fold-link"),
  "?": () => location.assign("/keys/"),
};

addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (localStorage.getItem("keys") === "off" || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});

// By key the next stop after words chosen is their offer. Escape ends it, and a term's meaning.
addEventListener("keydown", (event) => {
  const next = event.key === "Tab" && !event.shiftKey && chosen.length && offer?.querySelector("button");
  if (next && next !== document.activeElement) {
    event.preventDefault();
    next.focus();
  }
  if (event.key !== "Escape") return;
  document.activeElement.closest(".term")?.blur();
  offer?.remove();
});

// --- Flat and tree

// The switch keeps the place: of the post last focused or linked to, else of the one that was on top
// before scrolling up to the switch.
const inSight = (node) => {
  const { top, bottom } = node?.getBoundingClientRect() ?? { top: 0, bottom: -1 };
  return bottom > 0 && top < innerHeight;
};
const above = document.querySelector(".tabs a.view");
let place = postOf(document.querySelector(":target"));
document.addEventListener("focusin", (event) => {
  place = postOf(event.target) ?? place;
});
document.addEventListener("scrollend", () => {
  if (!inSight(above) && !inSight(place)) place = current();
});
for (const link of document.querySelectorAll("a.view")) {
  link.addEventListener("click", () => {
    const post = place ?? (inSight(above) ? null : current());
    const view = new URL(link.href).searchParams.get("view");
    if (post) link.href = `/posts/${idOf(post)}/?view=${view}`;
  });
}
