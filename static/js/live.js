// While a debate is read: says how many posts came and how many notices wait; asked, lays them in.

import { all, ask, boxOf, drawn, one, pressed, sent } from "./jonbar.js";

const news = one("#news");
const [FIRST, LONGEST] = [20_000, 600_000]; // milliseconds
let pause = FIRST;
let timer = setTimeout(question, pause);
let said = "";

// Only while somebody looks, and may.
async function question() {
  if (document.hidden || !navigator.onLine) return;
  const answer = await sent(news.dataset.from);
  clearTimeout(timer);
  if (answer?.redirected || answer?.ok === false) return news.replaceChildren();
  const html = (await answer?.text()) ?? said;
  if (html === said) pause = Math.min(pause * 1.5, LONGEST);
  else {
    [said, pause] = [html, FIRST];
    for (const part of drawn(html).body.children) one(`#${part.id}`).replaceChildren(...part.childNodes);
  }
  timer = setTimeout(question, pause);
}
document.addEventListener("visibilitychange", question);
addEventListener("online", question);

pressed("#news a", async (link) => {
  const page = drawn(await ask(location.href));
  const next = one("#news", page);
  const first = next && layIn(all(".post[id]", one("ol.posts", page)));
  if (!first) return location.assign(link.href); // they stand on another page
  news.dataset.from = next.dataset.from;
  news.replaceChildren();
  said = "";
  one("#elsewhere").replaceWith(one("#elsewhere", page));
  first.tabIndex = -1;
  first.focus();
});

// Puts posts in and draws the lines anew; what one reads stays in place.
function layIn(posts) {
  const read = all(".post[id]").find((post) => boxOf(post).bottom > 0);
  const { top } = boxOf(read);
  let before = one("ol.posts"); // after it, or as the first in its list
  let first;
  for (const post of posts) {
    let known = one(`#${post.id}`);
    if (known) {
      post.classList.toggle("fresh", known.matches(".fresh"));
      known.className = post.className;
      Object.assign(known.dataset, post.dataset);
      one(":scope > .rails", known)?.remove();
      known.prepend(...all(":scope > .rails", post));
    } else {
      const item = post.closest("li").cloneNode(true);
      const list = before.matches("ol") ? before : one("ol.posts", before);
      list ? list.prepend(item) : before.after(item);
      known = one(".post[id]", item);
      first ??= known;
    }
    before = known.closest("li");
  }
  scrollBy(0, boxOf(read).top - top);
  return first;
}
