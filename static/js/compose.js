// Writing where one reads: a reply's form opens under the post that it answers; a toolbar, completion
// and a preview that keeps up. Each form is complete without it.

const section = document.querySelector("[data-reply]");
const idOf = (post) => post.id.slice("post-".length);
const nameOf = (post) => post.querySelector(".who h3").textContent.trim();
const numberOf = (post) => post.querySelector(".who > a")?.textContent.trim() ?? "";
const composer = () => document.querySelector("form.composer[data-draft]");
const fire = (target, name, detail) =>
  target.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
const tell = (post, words, href) => fire(document, "told", { post, words, href });

// --- Where the form stands

const foot = document.querySelector(".writing"); // the page's own form
const place = document.createComment(""); // where that stood

// The form as the server draws it for this post, with its draft.
async function bring(address) {
  const answer = await fetch(address).catch(() => null);
  if (!answer?.ok || answer.redirected) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const writing = page.querySelector(".writing");
  return writing && document.adoptNode(writing);
}

let bringing = null;
async function answer(post, words = "") {
  if (bringing) await bringing; // else at once: it is told where the words still are selected
  const form = composer();
  const link = post.querySelector("a.reply");
  const started = form?.elements.text.value.trim();
  if (form && words && (started || !link || form.elements.to.value === idOf(post))) {
    tell(post, `Quoted in your ${heading(form)}.`, "#reply"); // while the words are selected
    insertAtEnd(form.elements.text, words);
  } else if (form && started) {
    turn(form, post);
    stand(form, post);
  } else {
    const writing = await (bringing = bring(link.href));
    bringing = null;
    // Typed while it came, into the form that stood there.
    if (composer()?.elements.text.value.trim()) return answer(post, words);
    if (!writing) {
      if (words) sessionStorage.setItem("collected", JSON.stringify([words]));
      location.assign(link.href);
      return;
    }
    if (foot?.isConnected) foot.replaceWith(place);
    else form?.closest(".writing").remove();
    const brought = writing.querySelector("form.composer");
    post.closest("li").append(writing);
    begin(brought);
    fire(brought, "opened");
    if (words) insertAtEnd(brought.elements.text, words);
    stand(brought, post);
    if (words) brought.querySelector(".draft-state").textContent = "Quoted.";
  }
}

function stand(form, post) {
  const writing = form.closest(".writing");
  const away = form.querySelector(".put-away");
  if (writing.parentElement !== post.closest("li")) post.closest("li").append(writing);
  away.hidden = false;
  away.onclick = () => putAway(form, post);
  const { text } = form.elements;
  text.focus({ preventScroll: true });
  text.setSelectionRange(text.value.length, text.value.length);
  text.scrollTop = text.scrollHeight;
  const { top, bottom } = writing.getBoundingClientRect();
  if (top < 0 || bottom > innerHeight) writing.scrollIntoView({ block: "nearest" });
}

function putAway(form, post) {
  fire(form, "putaway");
  const kept = form.elements.text.value.trim();
  form.closest(".writing").remove();
  if (foot && place.isConnected) place.replaceWith(foot);
  post.querySelector("a.reply")?.focus({ preventScroll: true });
  if (kept) tell(post, "Kept. Reply opens it again.");
}

// --- What it answers

const heading = (form) => `reply to ${form.elements.to.selectedOptions[0].label.trim()}`;

const optionOf = (to, post) => [...to.options].find((option) => option.value === idOf(post));

function offerPosts(form) {
  const { to } = form.elements;
  if (!section || !to) return;
  for (const post of document.querySelectorAll(".post[id]:has(a.reply)")) {
    if (numberOf(post) === "#1") continue;
    const label = `${numberOf(post)} by ${nameOf(post)}`;
    const known = optionOf(to, post);
    if (known) known.text = label;
    else to.add(new Option(label, idOf(post)));
  }
  to.addEventListener("change", () => {
    const post = to.value && document.getElementById(`post-${to.value}`);
    turn(form, post);
    if (post) stand(form, post);
  });
}

function turn(form, post) {
  const { to, text } = form.elements;
  if (post) {
    to.value = optionOf(to, post)?.value ?? "";
  }
  form.dataset.draft = section.dataset.reply + (to.value ? `?to=${to.value}` : "");
  form.querySelector("h2").textContent = `Your ${heading(form)}`;
  fire(text, "input");
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a.reply");
  if (!link || !section || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  answer(link.closest(".post"));
});
document.addEventListener("quote", (event) => {
  const { post, words } = event.detail;
  if (!section || !(composer() || post.querySelector("a.reply"))) return;
  event.preventDefault();
  answer(post, words);
});

// --- The text

// As if typed, so that it can be undone.
function insert(text, words) {
  text.focus({ preventScroll: true });
  document.execCommand("insertText", false, words);
}

function insertAtEnd(text, words) {
  text.value = (text.value.trim() ? `${text.value.trimEnd()}\n\n` : "") + words;
  fire(text, "input");
}

function format(text, { before, after, line, note }) {
  const { selectionStart: from, selectionEnd: to, value } = text;
  const chosen = value.slice(from, to);
  if (note !== undefined) {
    const numbers = [...value.matchAll(/\[\^(\d+)\]:/g)].map((found) => Number(found[1]));
    const sign = `[^${Math.max(0, ...numbers) + 1}]`;
    insert(text, chosen + sign);
    text.setSelectionRange(text.value.length, text.value.length);
    insert(text, `\n\n${sign}: `);
  } else if (line) {
    const start = value.lastIndexOf("\n", from - 1) + 1;
    text.setSelectionRange(start, to);
    insert(text, value.slice(start, to).replace(/^/gm, line));
  } else {
    insert(text, before + chosen + after);
    text.setSelectionRange(from + before.length, from + before.length + chosen.length);
  }
}

// @name and #number, of the posts on the page.
const BEGUN = /(?<![\p{L}\p{N}@#/])([@#])([\p{L}\p{N}._-]*)$/u;

function complete(form) {
  const { text } = form.elements;
  const list = form.querySelector(".offers");
  let at = 0;
  const close = () => {
    list.hidden = true;
    text.removeAttribute("aria-activedescendant");
  };
  const choose = (by) => {
    at = (at + by + list.children.length) % list.children.length;
    [...list.children].forEach((one, n) => one.setAttribute("aria-selected", n === at));
    text.setAttribute("aria-activedescendant", list.children[at].id);
  };
  const take = () => {
    const [begun] = text.value.slice(0, text.selectionStart).match(BEGUN);
    text.setSelectionRange(text.selectionStart - begun.length, text.selectionStart);
    insert(text, `${list.children[at].dataset.words} `);
    close();
  };
  text.addEventListener("input", () => {
    const [, sign, begun] = text.value.slice(0, text.selectionStart).match(BEGUN) ?? [];
    const known = new Map();
    for (const post of sign ? document.querySelectorAll(".post[id]") : []) {
      const member = post.querySelector(".who h3 a");
      if (sign === "@" && member) known.set(`@${nameOf(post)}`, "");
      if (sign === "#" && numberOf(post)) known.set(numberOf(post), nameOf(post));
    }
    const fit = [...known].filter(([words]) => words.slice(1).toLowerCase().startsWith(begun.toLowerCase()));
    list.replaceChildren(
      ...fit.slice(0, 6).map(([words, beside], n) => {
        const one = document.createElement("li");
        Object.assign(one, { id: `text-offer-${n}`, role: "option", textContent: `${words} ${beside}` });
        one.dataset.words = words;
        return one;
      }),
    );
    list.hidden = !fit.length;
    if (fit.length) choose(-at);
    else close();
  });
  text.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const act = { Enter: take, Tab: take, Escape: close }[event.key];
    if (event.isComposing || !(step || act)) return;
    event.preventDefault();
    if (step) choose(step);
    else act();
  });
  text.addEventListener("blur", close);
  list.addEventListener("mousedown", (event) => {
    event.preventDefault();
    at = [...list.children].indexOf(event.target);
    if (at >= 0) take();
  });
}

// How it will look, with the verdicts of its quotes, once the hand rests.
function look(form) {
  const { text } = form.elements;
  const shown = form.querySelector(".look");
  const state = () => text.value + (form.elements.to?.value ?? "");
  let seen = state();
  let resting = 0;
  async function show() {
    if (!form.isConnected || state() === seen) return;
    seen = state();
    const body = new URLSearchParams(new FormData(form));
    body.set("do", "look");
    const answer = await fetch(form.action, { method: "POST", body }).catch(() => null);
    if (answer?.ok) shown.innerHTML = await answer.text();
  }
  form.addEventListener("input", () => {
    clearTimeout(resting);
    resting = setTimeout(show, 1000);
  });
}

function begin(form) {
  const { text } = form.elements;
  for (const button of form.querySelectorAll(".tools button")) {
    button.addEventListener("click", () => format(text, button.dataset));
  }
  complete(form);
  look(form);
  offerPosts(form);
}

document.querySelectorAll("form[data-draft]").forEach(begin);
