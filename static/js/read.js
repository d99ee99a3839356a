// Reading a debate: select words to quote them, keys, and a switch of view that keeps the place.
// Every one of these has a link or button of its own on the page.

const posts = () => [...document.querySelectorAll(".post[id]")];
const postOf = (node) => (node?.nodeType === 1 ? node : node?.parentElement)?.closest(".post[id]");
const idOf = (post) => post.id.slice("post-".length);

// --- Select to quote ------------------------------------------------------------------------

// A press on a link ends the selection, so the last one is remembered until the next press.
let chosen = [];
document.addEventListener("selectionchange", () => {
  const selection = getSelection();
  if (!selection.isCollapsed) chosen = passages(selection.getRangeAt(0));
});
document.addEventListener("pointerdown", (event) => {
  if (!event.target.closest(".cite")) chosen = [];
});

// The words of a selection, post by post: whole words, without quotes of others and margin notes.
function passages(range) {
  const found = [];
  for (const prose of document.querySelectorAll(".post[id] .prose")) {
    if (!range.intersectsNode(prose)) continue;
    const part = document.createRange();
    part.selectNodeContents(prose);
    if (prose.contains(range.startContainer)) part.setStart(...wordStart(range));
    if (prose.contains(range.endContainer)) part.setEnd(...wordEnd(range));
    const around = part.commonAncestorContainer;
    if ((around.nodeType === 1 ? around : around.parentElement).closest(NOT_ITS_OWN)) continue;
    const words = sourceOf(within(part, prose));
    if (words) found.push({ post: postOf(prose), words });
  }
  return found;
}

// What stands in a post and is not its own words.
const NOT_ITS_OWN =
  "figure, blockquote, .margin, .footnote-ref, .footnote-back, .meaning, summary";
const LETTER = /[\p{L}\p{M}\p{N}'’-]/u;

// Whether a word runs on across this place of a text; a selection's end beside a word is no cut.
const insideWord = (node, at) =>
  node.nodeType === 3 && LETTER.test(node.data[at - 1] ?? "") && LETTER.test(node.data[at] ?? "");

function wordStart({ startContainer: node, startOffset: at }) {
  while (insideWord(node, at)) at -= 1;
  return [node, at];
}

function wordEnd({ endContainer: node, endOffset: at }) {
  while (insideWord(node, at)) at += 1;
  return [node, at];
}

// What a range of a post holds, with the elements around it that make it struck, hidden or stressed.
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

// The Markdown of a fragment: its own words, with strikes, spoilers and emphasis, and "[…]" where it
// quotes somebody else between them.
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

// Whether Markdown will read a sign around these words as one: beside letters it does, beside other
// signs not always. A mark that is left out costs no word, and the forum draws the source's own.
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

function collect(event) {
  if (!chosen.length) return;
  event?.preventDefault();
  const collected = JSON.parse(sessionStorage.getItem("collected") ?? "[]");
  sessionStorage.setItem("collected", JSON.stringify([...collected, ...chosen.map(quoteForm)]));
  chosen = [];
  getSelection().removeAllRanges();
  if (document.querySelector("form[data-draft] textarea[name=text]")) {
    document.dispatchEvent(new Event("collected"));
    announce("Quoted in your reply below.");
  } else {
    announce("Collected for your reply.");
  }
}

function announce(words) {
  let place = document.getElementById("said-here");
  if (!place) {
    place = Object.assign(document.createElement("p"), { id: "said-here", className: "notice info" });
    place.setAttribute("role", "status");
    document.querySelector("main").append(place);
  }
  place.textContent = `${words} `;
  const reply = document.querySelector("[data-reply]")?.dataset.reply;
  if (reply && !document.querySelector("form[data-draft]")) {
    place.append(Object.assign(document.createElement("a"), { href: reply, textContent: "Write it" }));
  }
}

document.addEventListener("click", (event) => {
  if (event.target.closest(".cite")) collect(event);
});

// --- Keys -----------------------------------------------------------------------------------

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

// The meaning of a term is shown while that has the focus.
addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.activeElement.closest(".term")?.blur();
});

// --- Flat and tree --------------------------------------------------------------------------

// The switch keeps the place: of the post last focused or linked to, else of the one that stood
// on top when the reader left it to scroll up to the switch. Who reads on up there has left it.
const RETURN = 15_000; // milliseconds
const inSight = (node) => {
  const { top, bottom } = node?.getBoundingClientRect() ?? { top: 0, bottom: -1 };
  return bottom > 0 && top < innerHeight;
};
const above = document.querySelector(".tabs a.view");
let last = location.hash.startsWith("#post-")
  ? postOf(document.getElementById(location.hash.slice(1)))
  : null;
let rested = null; // where scrolling last came to rest out of sight of the switch
let left = 0;
document.addEventListener("focusin", (event) => {
  last = postOf(event.target) ?? last;
});
document.addEventListener("scrollend", () => {
  if (inSight(above)) {
    left ||= Date.now();
    return;
  }
  [rested, left] = [current(), 0];
  if (!inSight(last)) last = null;
});
for (const link of document.querySelectorAll("a.view")) {
  link.addEventListener("click", () => {
    const returned = left && Date.now() - left < RETURN ? rested : null;
    const post = last ?? (inSight(above) ? returned : current());
    const view = new URL(link.href).searchParams.get("view");
    if (post) link.href = `/posts/${idOf(post)}/?view=${view}`;
  });
}
