// Quoting where one reads: words selected, or all of a post, go into the reply.

import { all, ask, boxOf, fire, idOf, one, pressed, rested } from "./jonbar.js";

const made = (name, values) => Object.assign(document.createElement(name), values);

// A press on a link ends the selection; the last one is remembered until the next press.
let chosen = [];
const offer = made("p", { className: "offer" }); // at the words chosen
const rests = rested(offerToQuote, 150); // the pointer or the key
document.addEventListener("selectionchange", choose);
function choose() {
  if (getSelection().isCollapsed) return;
  chosen = passages(getSelection().getRangeAt(0));
  rests();
}
addEventListener("pointerdown", (event) => {
  if (event.target.closest(".cite, .offer")) return;
  chosen = [];
  // In the text's flow it stays, or what is pressed moves away.
  if (!offer.matches(".resting")) offer.remove();
});

function stand(post, ...what) {
  offer.replaceChildren(...what);
  one(".prose", post).after(offer);
  const box = boxOf(post);
  const rects = getSelection().rangeCount ? getSelection().getRangeAt(0).getClientRects() : [];
  const last = [...rects].findLast((r) => r.width && r.top >= box.top && r.bottom <= box.bottom);
  offer.classList.toggle("resting", !last);
  if (!last) return;
  offer.style.top = `${last.bottom - box.top + 4}px`;
  offer.style.left = `clamp(0px, ${last.left - box.left}px, 100% - ${offer.offsetWidth}px)`;
}

function offerToQuote() {
  if (!chosen.length || getSelection().isCollapsed) return;
  const button = made("button", { type: "button", textContent: "Quote these words" });
  button.onmousedown = () => false; // else the selection ends
  button.onclick = () => collect(chosen.at(-1).post);
  stand(chosen.at(-1).post, button);
}

addEventListener("announce", ({ detail: { post, words, href } }) => {
  const status = made("span", { role: "status" });
  stand(post, status);
  status.textContent = words;
  if (href) offer.append(made("a", { href, textContent: "Go to it", onclick: () => offer.remove() }));
});

const NOT_ITS_OWN =
  "figure, blockquote, .margin, .footnote-ref, .footnote-back, .meaning, summary";
const LETTER = /[\p{L}\p{M}\p{N}'’-]/u;

// What was selected, post by post: whole words, no quotes of others, no margin notes.
function passages(range) {
  const found = [];
  for (const prose of all(".post[id] .prose")) {
    if (!range.intersectsNode(prose)) continue;
    const part = document.createRange();
    part.selectNodeContents(prose);
    const { startContainer: first, endContainer: last } = range;
    if (prose.contains(first)) part.setStart(first, outOfWord(first, range.startOffset, -1));
    if (prose.contains(last)) part.setEnd(last, outOfWord(last, range.endOffset, 1));
    const around = part.commonAncestorContainer;
    const others = (around.closest ? around : around.parentElement).closest(NOT_ITS_OWN);
    const words = !others && wordsOf(part.cloneContents());
    if (words) found.push({ post: prose.closest(".post"), words });
  }
  return found;
}

// The nearest place of a text that no word runs on across.
function outOfWord({ data = "" }, at, by) {
  while (LETTER.test(data[at - 1] ?? "") && LETTER.test(data[at] ?? "")) at += by;
  return at;
}

// "[…]" stands where somebody else is quoted between the words.
function wordsOf(part) {
  for (const other of all(NOT_ITS_OWN, part)) {
    other.replaceWith(other.matches("figure, blockquote") ? "\n\0\n" : ""); // no text of a page holds it
  }
  for (const block of all("p, li, h4, h5, h6, pre, td, th, br", part)) {
    block.before("\n");
    block.after("\n");
  }
  return part.textContent.replace(/^[\s\0]+|[\s\0]+$/g, "").replaceAll("\0", "[…]");
}

// The quote form: the server gives the words the marks that they have in their source.
async function formOf({ post, words, whole }) {
  // Of all of a post it knows the words better: heads of list items are none of the page's.
  const body = new URLSearchParams({ words: whole ? "" : words });
  return (await ask(`/posts/${idOf(post)}/words/`, body)) ?? `[quote="post: ${idOf(post)}"]\n${words}\n[/quote]\n\n`;
}

// Quote what was chosen, else all of the post; false: there is nothing. It may wait for a reply.
function collect(post) {
  if (!chosen.length) {
    const range = document.createRange();
    range.selectNodeContents(one(".prose", post));
    chosen = passages(range).map((found) => ({ ...found, whole: true }));
  }
  if (!chosen.length) return false;
  const at = chosen.some((words) => words.post === post) ? post : chosen.at(-1).post;
  const quotes = Promise.all(chosen.map(formOf)).then((forms) => forms.join(""));
  chosen = [];
  offer.remove();
  if (fire("quote", { post: at, quotes })) {
    quotes.then((words) => {
      sessionStorage.quotes = (sessionStorage.quotes ?? "") + words;
      fire("announce", { post: at, words: "Collected for your reply." });
    });
  }
  getSelection().removeAllRanges();
  return true;
}

pressed(".cite", (link) => collect(link.closest(".post")));

// By key the offer is the next stop after the words.
addEventListener("keydown", (event) => {
  const next = chosen.length && one(".offer button:not(:focus)");
  if (next && event.key === "Tab" && !event.shiftKey) {
    event.preventDefault();
    next.focus();
  }
  if (event.key === "Escape") offer.remove();
});

choose();
