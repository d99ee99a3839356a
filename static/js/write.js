// Forms that write: a reply's opens under the post that it answers; a toolbar, completion, a preview
// that keeps up; drafts every few seconds, in this browser when it is offline.

import { ask, drawn, fire, idOf, pressed, rested, sending } from "./jonbar.js";

const section = document.querySelector("[data-reply]");
const bodyOf = (form, more = {}) =>
  new URLSearchParams([...new FormData(form), ...Object.entries(more)]);
const composer = () => document.querySelector("form.composer[data-draft]");
const changed = (text) => text.dispatchEvent(new Event("input", { bubbles: true }));

// --- Where the form stands

const foot = document.querySelector(".writing"); // the page's own form
const place = document.createComment(""); // where that stood

// The form as the server draws it for this post, with its draft.
async function bring(address) {
  const writing = drawn((await ask(address)) ?? "").querySelector(".writing");
  writing?.querySelector("noscript")?.remove(); // it was read without script
  return writing && document.adoptNode(writing);
}

let bringing;
async function answer(post, quotes) {
  if (bringing) await bringing; // else at once: it is told where the words still are selected
  const form = composer();
  const link = post.querySelector("a.reply");
  const started = form?.elements.text.value.trim();
  if (form && quotes && (started || !link || form.elements.to.value === idOf(post))) {
    fire("told", { post, words: `Quoted in your ${heading(form)}.`, href: "#reply" });
    append(form, await quotes);
  } else if (form && started) {
    turn(form, post);
    stand(form, post);
  } else {
    const writing = await (bringing = bring(link.href));
    const words = await quotes;
    bringing = null;
    // Typed while it came, into the form that stood there.
    if (composer()?.elements.text.value.trim()) return answer(post, quotes);
    if (!writing) {
      if (words) sessionStorage.setItem("quotes", words);
      return location.assign(link.href);
    }
    foot?.isConnected ? foot.replaceWith(place) : form?.closest(".writing").remove();
    const brought = writing.querySelector("form.composer");
    begin(brought);
    if (words) append(brought, words);
    stand(brought, post);
    if (words) brought.querySelector(".draft-state").textContent = "Quoted.";
  }
}

function stand(form, post) {
  const writing = form.closest(".writing");
  if (writing.parentElement !== post.closest("li")) post.closest("li").append(writing);
  form.querySelector(".put-away").onclick = () => putAway(form, post);
  const { text } = form.elements;
  text.focus({ preventScroll: true });
  text.selectionStart = text.value.length;
  text.scrollTop = text.scrollHeight;
  const { top, bottom } = writing.getBoundingClientRect();
  if (top < 0 || bottom > innerHeight) writing.scrollIntoView({ block: "nearest" });
}

function putAway(form, post) {
  form.dispatchEvent(new Event("putaway"));
  const kept = form.elements.text.value.trim();
  form.closest(".writing").remove();
  if (foot) place.replaceWith(foot);
  post.querySelector("a.reply")?.focus({ preventScroll: true });
  if (kept) fire("told", { post, words: "Kept. Reply opens it again." });
}

// --- What it answers

const key = (form) => `draft:${form.dataset.draft}`; // in the browser's store

const heading = (form) => `reply to ${form.elements.to.selectedOptions[0].label.trim()}`;

function offerPosts(form) {
  const { to } = form.elements;
  if (!to) return;
  for (const post of document.querySelectorAll(".post[id]:has(a.reply)")) {
    const [number, name] = [".who > a", ".who h3"].map((one) => post.querySelector(one)?.textContent);
    if (number === "#1") continue;
    const known = [...to.options].find((option) => option.value === idOf(post));
    (known ?? to.appendChild(new Option("", idOf(post)))).text = `${number} by ${name.trim()}`;
  }
  to.onchange = () => {
    const post = to.value && document.getElementById(`post-${to.value}`);
    turn(form, post);
    if (post) stand(form, post);
  };
}

function turn(form, post) {
  const { to, text } = form.elements;
  if (post) to.value = idOf(post);
  if (!to.value) to.value = ""; // the opening
  localStorage.removeItem(key(form)); // it is kept anew, for what it answers now
  form.dataset.draft = section.dataset.reply + (to.value ? `?to=${to.value}` : "");
  form.querySelector("h2").textContent = `Your ${heading(form)}`;
  changed(text);
}

pressed("a.reply", (link) => section ? void answer(link.closest(".post")) : false);
document.addEventListener("quote", (event) => {
  const { post, quotes } = event.detail;
  if (!section || !(composer() || post.querySelector("a.reply"))) return;
  event.preventDefault();
  answer(post, quotes);
});

// As if typed, so that it can be undone.
function insert(text, words) {
  text.focus({ preventScroll: true });
  document.execCommand("insertText", false, words);
}

const after = (before, words) => (before.trim() ? `${before.trimEnd()}\n\n${words}` : words);

function append({ elements: { text } }, words) {
  text.value = after(text.value, words);
  changed(text);
}

function format(text, { before, after, line, note }) {
  const { selectionStart: from, selectionEnd: to, value } = text;
  const chosen = value.slice(from, to);
  if (note !== undefined) {
    const known = [...value.matchAll(/\[\^(\d+)\]:/g)].map((found) => found[1]);
    const sign = `[^${Math.max(0, ...known) + 1}]`;
    insert(text, chosen + sign);
    text.selectionStart = text.value.length;
    insert(text, `\n\n${sign}: `);
  } else if (line) {
    const start = value.lastIndexOf("\n", from - 1) + 1;
    text.selectionStart = start;
    insert(text, value.slice(start, to).replace(/^/gm, line));
  } else {
    insert(text, before + chosen + after);
    text.setSelectionRange(from + before.length, from + before.length + chosen.length);
  }
}

// @name and #number: what is offered is narrowed at once, and comes from the server.
const BEGUN = /(?<![\p{L}\p{N}@#/])[@#][\p{L}\p{N}._-]*$/u;

function complete(form) {
  const { text } = form.elements;
  const list = form.querySelector(".offers");
  const begun = () => text.value.slice(0, text.selectionStart).match(BEGUN)?.[0] ?? "";
  const chosen = () => list.querySelector("[aria-selected]");
  function choose(one) {
    chosen()?.removeAttribute("aria-selected");
    one?.setAttribute("aria-selected", true);
    text.setAttribute("aria-activedescendant", one?.id ?? "");
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
    for (const one of [...list.children]) {
      if (!words || !one.dataset.words.toLowerCase().startsWith(words)) one.remove();
    }
    choose(list.firstElementChild);
    offer();
  };
  const keys = {
    ArrowDown: () => choose(chosen().nextElementSibling ?? list.firstElementChild),
    ArrowUp: () => choose(chosen().previousElementSibling ?? list.lastElementChild),
    Enter: take,
    Tab: take,
    Escape: close,
  };
  text.onkeydown = (event) => {
    if (event.isComposing || !keys[event.key] || !chosen()) return;
    event.preventDefault();
    keys[event.key]();
  };
  text.onblur = close;
  list.onmousedown = (event) => {
    event.preventDefault();
    choose(event.target.closest("li"));
    take();
  };
}

// How it will look, with the verdicts of its quotes.
function look(form) {
  const show = async () => {
    const html = form.isConnected ? await ask(form.action, bodyOf(form, { do: "look" })) : null;
    if (html !== null) form.querySelector(".look").innerHTML = html;
  };
  form.addEventListener("input", rested(show, 1000));
}

// --- Drafts

function tend(form) {
  const { text } = form.elements;
  const field = (name) => form.elements[name]?.value ?? "";
  const say = (words) => {
    form.querySelector(".draft-state").textContent = words;
  };

  // The browser's copy of what the server does not hold yet. It goes when a form that it stood in
  // (`tokens`) is posted or discarded, see jonbar.js. `draft`: the server's copy.
  const tokens = [field("token")];
  let draft;
  const local = () => JSON.parse(localStorage.getItem(key(form)));
  function keep() {
    const fields = {}; // as the server keeps them: a list of texts for each name
    for (const [name, value] of new FormData(form)) {
      if (name !== "csrfmiddlewaretoken") (fields[name] ??= []).push(value);
    }
    try {
      localStorage.setItem(key(form), JSON.stringify({ text: text.value, fields, tokens, draft }));
    } catch {
      // Full or forbidden: the server's draft remains.
    }
  }
  const all = () => key(form) + bodyOf(form);
  const inputs = (selector) => [...form.querySelectorAll(selector)];
  const typed = () => inputs("textarea, input:not([type])").some((input) => input.value.trim());

  function put(value, fields = {}) {
    for (const [name, values] of Object.entries(fields)) {
      for (const input of inputs(`[name="${CSS.escape(name)}"]`)) {
        if (/radio|checkbox/.test(input.type)) input.checked = values.includes(input.value);
        // Which text an edit began with is kept with it: the server tells what happened since.
        else if (input.type !== "hidden" || name === "base") input.value = values[0];
        if (input.value) input.closest("details")?.setAttribute("open", "");
      }
    }
    text.value = value;
  }

  // The draft that lives on in this form goes with it; null: there is none.
  function livesOn(known) {
    for (const name of ["restored", "restored_at"]) form.elements[name].value = known?.[name] ?? "";
  }

  const newest = async () =>
    JSON.parse(await ask(`/drafts/newest/?target=${encodeURIComponent(form.dataset.draft)}`));

  // What this browser kept is newer than a draft of the same text: the server's answer removes it. A
  // draft of another text stays where it is.
  async function restoreKept(kept) {
    const added = form.dataset.added ?? "";
    tokens.push(...(kept.tokens ?? []));
    draft = kept.draft;
    put(kept.text.includes(added.trim()) ? kept.text : after(kept.text, added), kept.fields);
    changed(text);
    say("Your text was restored from this browser.");
    if (!tokens.includes(field("restored"))) livesOn(draft);
    const found = await newest();
    if (tokens.includes(found?.restored) && found.restored !== field("token")) livesOn(found);
  }

  async function restore() {
    const kept = "unsaved" in form.dataset ? null : local();
    if (kept?.text === text.value && field("restored")) localStorage.removeItem(key(form));
    else if (kept?.text && kept.text !== text.value) await restoreKept(kept);
    else if (!text.value && !field("restored")) {
      const found = await newest();
      if (found?.text && !text.value) {
        livesOn(found);
        put(found.text, found.fields);
        saved = all();
        form.dataset.kept = "";
        changed(text);
        say(`Your text was restored from the draft of ${found.saved_at}.`);
      }
    }
    if (field("restored")) tokens.push(field("restored"));
    const quotes = form.isConnected && sessionStorage.getItem("quotes");
    if (!quotes) return;
    sessionStorage.removeItem("quotes");
    append(form, quotes);
  }

  let saved = all();
  let saving = false;

  async function save() {
    const now = all();
    // Saved while it is being posted or discarded, it would come back after it.
    if (saving || sending || now === saved || !typed()) return;
    saving = true;
    const body = bodyOf(form, { target: form.dataset.draft });
    const answer = await fetch("/drafts/save/", { method: "POST", body }).catch(() => null);
    const said = (await answer?.json().catch(() => null)) ?? {};
    saving = false;
    if (!answer) return say("No connection. The draft is kept in this browser.");
    if (!answer.ok) {
      return say(said.error ?? "The draft is kept in this browser only: sign in again in another tab.");
    }
    saved = now;
    draft = { restored: field("token"), restored_at: said.restored_at };
    if (all() === now) {
      if (local()?.tokens?.includes(field("token"))) localStorage.removeItem(key(form));
      form.dataset.kept = ""; // what is kept is not lost when the page is left
    } else keep();
    say(`Draft kept ${said.saved_at}.`);
  }

  form.addEventListener("input", () => {
    if (all() === saved) return;
    delete form.dataset.kept;
    keep();
  });
  setInterval(save, 3000);
  document.addEventListener("visibilitychange", () => document.hidden && save());
  form.addEventListener("putaway", save);
  restore();
}

function begin(form) {
  for (const button of form.querySelectorAll(".tools button:not([class])")) {
    button.onclick = () => format(form.elements.text, button.dataset);
  }
  complete(form);
  look(form);
  offerPosts(form);
  tend(form);
}

document.querySelectorAll("form[data-draft]").forEach(begin);
