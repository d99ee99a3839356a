// While a debate is read: says how many posts came and how many notices wait, and lays the posts in
// where they belong once that is asked for. All of it is drawn by the server.

const news = document.getElementById("news");
const [FIRST, LONGEST] = [20_000, 600_000]; // milliseconds between two questions
let pause = FIRST;
let timer = setTimeout(ask, pause);
let said = "";

const drawn = (html) => new DOMParser().parseFromString(html, "text/html");
const here = (id) => document.getElementById(id);

// Only while somebody looks. Who was signed out, or may not see the debate any more, asks no more.
async function ask() {
  if (document.hidden || !navigator.onLine) return;
  const answer = await fetch(news.dataset.from).catch(() => null);
  clearTimeout(timer);
  if (answer?.redirected || answer?.ok === false) return news.replaceChildren();
  const html = (await answer?.text()) ?? said;
  pause = html === said ? Math.min(pause * 1.5, LONGEST) : FIRST;
  if (html !== said) {
    for (const part of drawn(html).body.children) here(part.id).replaceChildren(...part.childNodes);
  }
  said = html;
  timer = setTimeout(ask, pause);
}
document.addEventListener("visibilitychange", ask);
addEventListener("online", ask);

news.addEventListener("click", async (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const answer = await fetch(location.href).catch(() => null);
  const page = drawn((await answer?.text()) ?? "");
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
// The first of them.
function layIn(posts) {
  const read = [...document.querySelectorAll(".post[id]")].find(
    (post) => post.getBoundingClientRect().bottom > 0,
  );
  const { top } = read.getBoundingClientRect();
  let before = document.querySelector("ol.posts"); // after it, or as the first in its list
  let first = null;
  for (const post of posts) {
    let known = here(post.id);
    if (known) {
      const fresh = known.matches(".fresh");
      known.className = post.className;
      known.classList.toggle("fresh", fresh);
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
  scrollBy(0, read.getBoundingClientRect().top - top);
  return first;
}
