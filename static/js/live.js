// While a debate is read: says how many posts came and how many notices wait, and lays the posts in
// where they belong once that is asked for. All of it is drawn by the server.

const news = document.getElementById("news");
const [FIRST, LONGEST] = [20_000, 600_000]; // milliseconds between two questions
let pause = FIRST;
let timer = 0;
let said = "";

const drawn = (html) => new DOMParser().parseFromString(html, "text/html");

function put(html) {
  if (html === said) return (pause = Math.min(pause * 1.5, LONGEST));
  [said, pause] = [html, FIRST];
  for (const part of drawn(html).body.children) {
    document.getElementById(part.id).replaceChildren(...part.childNodes);
  }
}

// Only while somebody looks. Who was signed out, or may not see the debate any more, asks no further.
async function ask() {
  clearTimeout(timer);
  if (document.hidden || !navigator.onLine) return;
  const answer = await fetch(news.dataset.from).catch(() => null);
  if (answer && (!answer.ok || answer.redirected)) return news.replaceChildren();
  put((await answer?.text()) ?? said);
  clearTimeout(timer);
  timer = setTimeout(ask, pause);
}

timer = setTimeout(ask, pause);
document.addEventListener("visibilitychange", ask);
addEventListener("online", ask);

// --- Laying posts in

const one = ".post[id]";
const shown = (post) => document.getElementById(post.id);

news.addEventListener("click", async (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const answer = await fetch(location.href).catch(() => null);
  const page = drawn((await answer?.text()) ?? "");
  const next = page.getElementById("news");
  const came = next ? layIn(page.querySelector("ol.posts")) : [];
  if (!came.length) return location.assign(link.href); // they stand on another page
  news.dataset.from = next.dataset.from;
  news.replaceChildren();
  said = "";
  shown({ id: "elsewhere" }).replaceWith(page.getElementById("elsewhere"));
  came[0].tabIndex = -1;
  came[0].focus();
});

// Puts in what is not there yet, and draws the lines around it anew; what one reads stays in place.
function layIn(list) {
  const read = [...document.querySelectorAll(one)].find(
    (post) => post.getBoundingClientRect().bottom > 0,
  );
  const { top } = read.getBoundingClientRect();
  const came = [];
  for (const post of list.querySelectorAll(one)) {
    if (shown(post)) redraw(shown(post), post);
    else came.push(place(post));
  }
  scrollBy(0, read.getBoundingClientRect().top - top);
  return came;
}

function redraw(here, post) {
  const fresh = here.matches(".fresh");
  here.className = post.className;
  here.classList.toggle("fresh", fresh);
  Object.assign(here.dataset, post.dataset);
  here.querySelector(":scope > .rails")?.remove();
  here.prepend(...post.querySelectorAll(":scope > .rails"));
}

function place(post) {
  const item = document.importNode(post.closest("li"), true);
  let before = post.closest("li");
  do before = before.previousElementSibling;
  while (before && !before.querySelector(one));
  if (before) shown(before.querySelector(one)).closest("li").after(item);
  else document.querySelector(post.parentElement.closest("#doubts ol") ? "#doubts ol" : "ol.posts").prepend(item);
  return item.querySelector(one);
}
