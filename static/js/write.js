// Forms that write: where a reply's stands, its toolbar, completion, preview and drafts.

import { all, ask, boxOf, changed, drawn, fire, idOf, one, pressed, rested, sending, sent } from "./jonbar.js";

const section = one("[data-reply]");
const bodyOf = (form, more = {}) =>
  new URLSearchParams([...new FormData(form), ...Object.entries(more)]);
const composer = () => one("form.composer");
const say = (form, words) => (one(".draft-state", form).textContent = words);

// --- Where the form stands

const foot = one(".writing"); // the page's own
const place = document.createComment(""); // its place

// The form as the server draws it, with its draft.
async function bring(address) {
  const writing = one(".writing", drawn(await ask(address)));
  if (!writing) return null;
  one("noscript", writing)?.remove(); // it was read without script
  return document.adoptNode(writing);
}

let bringing;
async function answer(post, quotes) {
  if (bringing) await bringing; // else at once, while the words are selected
  const form = composer();
  const link = one("a.reply", post);
  const started = form?.text.value.trim();
  if (form && quotes && (started || !link || form.to.value === idOf(post))) {
    fire("announce", { post, words: `Quoted in your ${heading(form)}.`, href: "#reply" });
    append(form.text, await quotes);
  } else if (form && started) {
    turn(form, post);
    stand(form, post);
  } else {
    const writing = await (bringing = bring(link.href));
    const words = await quotes;
    bringing = null;
    // Typed while it came?
    if (composer()?.text.value.trim()) return answer(post, quotes);
    if (!writing) {
      if (words) sessionStorage.quotes = words;
      return location.assign(link.href);
    }
    foot?.isConnected ? foot.replaceWith(place) : form?.closest(".writing").remove();
    const brought = one("form.composer", writing);
    begin(brought);
    if (words) append(brought.text, words);
    stand(brought, post);
    if (words) say(brought, "Quoted.");
  }
}

function stand(form, post) {
  const writing = form.closest(".writing");
  post.closest("li").append(writing);
  one(".put-away", form).onclick = () => putAway(form, post);
  const { text } = form;
  text.focus({ preventScroll: true });
  text.selectionStart = text.value.length;
  text.scrollTop = text.scrollHeight;
  const { top, bottom } = boxOf(writing);
  if (top < 0 || bottom > innerHeight) writing.scrollIntoView({ block: "nearest" });
}

function putAway(form, post) {
  form.dispatchEvent(new Event("putaway"));
  form.closest(".writing").remove();
  if (foot) place.replaceWith(foot);
  one("a.reply", post)?.focus({ preventScroll: true });
  if (form.text.value.trim()) fire("announce", { post, words: "Kept. Reply opens it again." });
}

// --- What it answers

const key = (form) => `draft:${form.dataset.draft}`; // in the browser's store

const heading = ({ to }) => `reply to ${to.selectedOptions[0].label.trim()}`;

function offerPosts(form) {
  const { to } = form;
  if (!to) return;
  for (const post of all(".post[id]:has(a.reply)")) {
    const [number, name] = [".who > a", ".who h3"].map((part) => one(part, post)?.textContent);
    if (number === "#1") continue;
    const known = [...to.options].find((option) => option.value === idOf(post));
    (known ?? to.appendChild(new Option("", idOf(post)))).text = `${number} by ${name.trim()}`;
  }
  to.onchange = () => {
    const post = to.value && one(`#post-${to.value}`);
    turn(form, post);
    if (post) stand(form, post);
  };
}

function turn(form, post) {
  const { to, text } = form;
  if (post) to.value = idOf(post);
  to.value ||= ""; // the opening
  localStorage.removeItem(key(form));
  form.dataset.draft = section.dataset.reply + (to.value ? `?to=${to.value}` : "");
  one("h2", form).textContent = `Your ${heading(form)}`;
  changed(text);
}

pressed("a.reply", (link) => section ? void answer(link.closest(".post")) : false);
addEventListener("quote", (event) => {
  const { post, quotes } = event.detail;
  if (!section || !(composer() || one("a.reply", post))) return;
  event.preventDefault();
  answer(post, quotes);
});

// As if typed, so that it can be undone.
function insert(text, words) {
  text.focus({ preventScroll: true });
  document.execCommand("insertText", false, words);
}

function append(text, words) {
  const before = text.value.trimEnd();
  text.value = (before && `${before}\n\n`) + words;
  changed(text);
}

function format(text, { before, after, line, note }) {
  const { selectionStart: from, selectionEnd: to, value } = text;
  const chosen = value.slice(from, to);
  if (note !== undefined) {
    const known = [...value.matchAll(/\[\^(\d+)\]:/g)].map(([, number]) => number);
    const sign = `[^${Math.max(0, ...known) + 1}]`;
    insert(text, chosen + sign);
    text.selectionStart = text.value.length;
    insert(text, `\n\n${sign}: `);
  } else if (line) {
    text.selectionStart = value.lastIndexOf("\n", from - 1) + 1;
    insert(text, value.slice(text.selectionStart, to).replace(/^/gm, line));
  } else {
    insert(text, before + chosen + after);
    text.setSelectionRange(from + before.length, from + before.length + chosen.length);
  }
}

// @name and #number: what the server offers is narrowed at once.
const BEGUN = /(?<![\p{L}\p{N}@#/])[@#][\p{L}\p{N}._-]*$/u;

function complete({ text }, list) {
  const begun = () => text.value.slice(0, text.selectionStart).match(BEGUN)?.[0] ?? "";
  const chosen = () => one("[aria-selected]", list);
  function choose(item) {
    chosen()?.removeAttribute("aria-selected");
    item?.setAttribute("aria-selected", true);
    text.setAttribute("aria-activedescendant", item?.id ?? "");
  }
  const close = () => choose(list.replaceChildren());
  function take() {
    text.selectionStart -= begun().length;
    insert(text, `${chosen().dataset.words} `);
    close();
  }
  const offer = rested(async () => {
    const words = begun();
    const html = words && (await ask(list.dataset.from + encodeURIComponent(words)));
    if (!html || begun() !== words) return;
    list.innerHTML = html;
    choose(list.firstElementChild);
  }, 100);
  text.oninput = () => {
    const words = begun().toLowerCase();
    for (const item of [...list.children]) {
      if (!words || !item.dataset.words.toLowerCase().startsWith(words)) item.remove();
    }
    choose(list.firstElementChild);
    offer();
  };
  const KEYS = {
    ArrowDown: () => choose(chosen().nextElementSibling ?? list.firstElementChild),
    ArrowUp: () => choose(chosen().previousElementSibling ?? list.lastElementChild),
    Enter: take,
    Tab: take,
    Escape: close,
  };
  text.onkeydown = (event) => {
    if (event.isComposing || !KEYS[event.key] || !chosen()) return;
    event.preventDefault();
    KEYS[event.key]();
  };
  text.onblur = close;
  list.onmousedown = (event) => {
    event.preventDefault();
    choose(event.target.closest("li"));
    take();
  };
}

async function look(form) {
  const html = form.isConnected ? await ask(form.action, bodyOf(form, { do: "look" })) : null;
  if (html !== null) one(".look", form).innerHTML = html;
}

// --- Drafts

const ONLY_HERE = "The draft is kept in this browser only: sign in again in another tab.";

function tend(form) {
  const { text, token, restored } = form;

  // Of the browser's copy: the forms it stood in (jonbar.js drops it with them), and the draft.
  const tokens = [token?.value];
  let draft;
  const local = () => JSON.parse(localStorage.getItem(key(form)));
  function keep() {
    const fields = {}; // as the server keeps them
    for (const [name, value] of new FormData(form)) (fields[name] ??= []).push(value);
    delete fields.csrfmiddlewaretoken;
    try {
      localStorage.setItem(key(form), JSON.stringify({ text: text.value, fields, tokens, draft }));
    } catch {
      // full or forbidden: the server's draft remains
    }
  }
  const everything = () => key(form) + bodyOf(form);
  const typed = () => all("textarea, input:not([type])", form).some(({ value }) => value.trim());

  function put(value, fields = {}) {
    for (const input of form.elements) {
      const values = fields[input.name];
      if (!values) continue;
      if (/radio|checkbox/.test(input.type)) input.checked = values.includes(input.value);
      // By "base" the server tells what happened since an edit began.
      else if (input.type !== "hidden" || input.name === "base") input.value = values[0];
      if (input.value) input.closest("details")?.setAttribute("open", "");
    }
    text.value = value;
  }

  function livesOn(known) {
    for (const name of ["restored", "restored_at"]) form[name].value = known?.[name] ?? "";
  }

  const newest = async () =>
    JSON.parse(await ask(`/drafts/newest/?target=${encodeURIComponent(form.dataset.draft)}`));

  // What this browser kept is newer than a draft of the same text; one of another stays where it is.
  async function restoreKept(kept) {
    const added = form.dataset.added ?? "";
    tokens.push(...(kept.tokens ?? []));
    draft = kept.draft;
    put(kept.text, kept.fields);
    changed(text);
    if (!kept.text.includes(added.trim())) append(text, added);
    say(form, "Your text was restored from this browser.");
    if (!tokens.includes(restored.value)) livesOn(draft);
    const found = await newest();
    if (tokens.includes(found?.restored) && found.restored !== token?.value) livesOn(found);
  }

  async function restore() {
    const kept = "unsaved" in form.dataset ? null : local();
    if (kept?.text === text.value && restored.value) localStorage.removeItem(key(form));
    else if (kept?.text && kept.text !== text.value) await restoreKept(kept);
    else if (!text.value && !restored.value) {
      const found = await newest();
      if (found?.text && !text.value) {
        livesOn(found);
        put(found.text, found.fields);
        saved = everything();
        form.dataset.kept = "";
        changed(text);
        say(form, `Your text was restored from the draft of ${found.saved_at}.`);
      }
    }
    if (restored.value) tokens.push(restored.value);
    const { quotes } = sessionStorage;
    if (!quotes || !form.isConnected) return;
    sessionStorage.removeItem("quotes");
    append(text, quotes);
  }

  let saved = everything();
  let saving = false;

  async function save() {
    const now = everything();
    // Saved while it is posted or discarded, it would come back.
    if (saving || sending || now === saved || !typed()) return;
    saving = true;
    const body = bodyOf(form, { target: form.dataset.draft });
    const answer = await sent("/drafts/save/", body);
    const said = (await answer?.json().catch(() => null)) ?? {};
    saving = false;
    if (!answer) return say(form, "No connection. The draft is kept in this browser.");
    if (!answer.ok) return say(form, said.error ?? ONLY_HERE);
    saved = now;
    draft = said;
    if (everything() === now) {
      if (local()?.tokens?.includes(token?.value)) localStorage.removeItem(key(form));
      form.dataset.kept = "";
    } else keep();
    say(form, `Draft kept ${said.saved_at}.`);
  }

  form.addEventListener("input", () => {
    if (everything() === saved) return;
    delete form.dataset.kept;
    keep();
  });
  setInterval(save, 3000);
  document.addEventListener("visibilitychange", () => document.hidden && save());
  form.addEventListener("putaway", save);
  restore();
}

function begin(form) {
  for (const button of all(".tools button:not([class])", form)) {
    button.onclick = () => format(form.text, button.dataset);
  }
  complete(form, one(".offers", form));
  form.addEventListener("input", rested(() => look(form), 1000));
  offerPosts(form);
  tend(form);
}

all("form[data-draft]").forEach(begin);
