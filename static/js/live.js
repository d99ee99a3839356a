// While a debate is read: says how many posts came and how many notices wait, and lays the posts in
// where they belong once that is asked for. All of it is drawn by the server.

import { ask, drawn, pressed } from "./jonbar.js";

const here = (id) => document.getElementById(id);
const news = here("news");
const [FIRST, LONGEST] = [20_000, 600_000]; // milliseconds
let pause = FIRST;
let timer = setTimeout(question, pause);
let said = "";

// Only while somebody looks. Who was signed out, or may not see the debate any more, asks no more.
async function question() {
  if (document.hidden || !navigator.onLine) return;
  const answer = await fetch(news.dataset.from).catch(() => null);
  clearTimeout(timer);
  if (answer?.redirected || answer?.ok === false) return news.replaceChildren();
  const html = (await answer?.text()) ?? said;
  if (html === said) pause = Math.min(pause * 1.5, LONGEST);
  else {
    [said, pause] = [html, FIRST];
    for (const part of drawn(html).body.children) here(part.id).replaceChildren(...part.childNodes);
  }
  timer = setTimeout(question, pause);
}
document.addEventListener("visibilitychange", question);
addEventListener("online", question);

pressed("#news a", async (link) => {
  const page = drawn((await ask(location.href)) ?? "");
  const next = page.getElementById("news");
  const first = next && layIn([...page.querySelector("ol.posts").querySelectorAll(".post[id]")]);
  if (!first) return location.assign(link.href); // they stand on another page
  news.dataset.from = next.dataset.from;
  news.replaceChildren();
  said = "";
  here("elsewhere").replaceWith(page.getElementById("elsewhere"));
  first.tabIndex = -1;
  first.focus();
});

// Puts in the posts that are not there yet, and draws the lines anew; what one reads stays in place.
function layIn(posts) {
  const box = (post) => post.getBoundingClientRect();
  const read = [...document.querySelectorAll(".post[id]")].find((post) => box(post).bottom > 0);
  const { top } = box(read);
  let before = document.querySelector("ol.posts"); // after it, or as the first in its list
  let first;
  for (const post of posts) {
    let known = here(post.id);
    if (known) {
      post.classList.toggle("fresh", known.matches(".fresh"));
      known.className = post.className;
      Object.assign(known.dataset, post.dataset);
      known.querySelector(":scope > .rails")?.remove();
      known.prepend(...post.querySelectorAll(":scope > .rails"));
    } else {
      const item = document.importNode(post.closest("li"), true);
      const list = before.matches("ol") ? before : before.querySelector("ol.posts");
      if (list) list.prepend(item);
      else before.after(item);
      known = item.querySelector(".post[id]");
      first ??= known;
    }
    before = known.closest("li");
  }
  scrollBy(0, box(read).top - top);
  return first;
}
