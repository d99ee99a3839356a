// Forms that write: drafts on the server every few seconds, in this browser when it is offline, and
// the passages that were collected while reading. The forms are complete without it.

const EVERY = 3000;
const form = document.querySelector("form[data-draft]");
const text = form?.querySelector("textarea[name=text]");

const local = {
  key: `draft:${form?.dataset.draft}`,
  read() {
    try {
      return JSON.parse(localStorage.getItem(this.key));
    } catch {
      return null;
    }
  },
  write(entry) {
    try {
      localStorage.setItem(this.key, JSON.stringify(entry));
    } catch {
      // Full or forbidden storage: the server's draft remains.
    }
  },
  remove() {
    localStorage.removeItem(this.key);
  },
};

// What belongs to one sending of a form, and what a draft keeps apart from the other fields.
const OWN = ["csrfmiddlewaretoken", "do", "restored", "restored_at", "target", "text", "title", "to", "token"];

// The other fields as the server keeps them: a list of texts for each name.
function others() {
  const fields = {};
  for (const [name, value] of new FormData(form)) {
    if (!OWN.includes(name)) (fields[name] ??= []).push(value);
  }
  return fields;
}

// All that was typed and chosen, to tell whether it changed.
const all = () => JSON.stringify([text.value, field("title"), others()]);

// Whether something was written, and not only chosen.
const typed = () =>
  [...form.querySelectorAll("textarea, input:not([type])")].some((input) => input.value.trim());

function putOthers(fields) {
  for (const [name, values] of Object.entries(fields ?? {})) {
    for (const input of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
      if (["radio", "checkbox"].includes(input.type)) input.checked = values.includes(input.value);
      // Which text an edit began with is kept with it: the server tells what happened since.
      else if (input.type !== "hidden" || name === "base") input.value = values[0];
      if (input.value) input.closest("details")?.setAttribute("open", "");
    }
  }
}

const field = (name) => form.querySelector(`[name=${name}]`)?.value ?? "";
const say = (words) => {
  form.querySelector(".draft-state").textContent = words;
};

function put(value) {
  text.value = value;
  text.dispatchEvent(new Event("input", { bubbles: true }));
}

function hidden(name, value) {
  let input = form.querySelector(`[name=${name}]`);
  if (!input) {
    input = Object.assign(document.createElement("input"), { type: "hidden", name });
    form.append(input);
  }
  input.value = value;
}

// What was posted needs no copy here; the server names the form in a cookie once it is stored.
function forgetPosted() {
  const posted = document.cookie.match(/(?:^|; )posted=([0-9a-f-]+)/)?.[1];
  if (!posted) return;
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith("draft:") && localStorage.getItem(key).includes(posted)) {
      localStorage.removeItem(key);
    }
  }
}

async function restore() {
  const untouched = text.value === "";
  const kept = local.read();
  if (kept?.text && kept.text !== text.value && (untouched || kept.newer)) {
    put(kept.text);
    putOthers(kept.fields);
    say("Your text was restored from this browser.");
  } else if (untouched && !field("restored")) {
    const target = encodeURIComponent(form.dataset.draft);
    const answer = await fetch(`/drafts/newest/?target=${target}`).catch(() => null);
    // Who was signed out meanwhile gets the sign-in page, which is no JSON.
    const draft = answer?.ok ? await answer.json().catch(() => ({})) : {};
    if (draft.text && text.value === "") {
      hidden("restored", draft.restored);
      hidden("restored_at", draft.restored_at);
      put(draft.text);
      putOthers(draft.fields);
      saved = all();
      form.dataset.kept = "";
      say(`Your text was restored from the draft of ${draft.saved_at}.`);
    }
  }
  addCollected();
}

function addCollected() {
  const collected = JSON.parse(sessionStorage.getItem("collected") ?? "[]");
  if (!collected.length) return;
  sessionStorage.removeItem("collected");
  const before = text.value.trimEnd();
  put((before ? `${before}\n\n` : "") + collected.join(""));
}

let saved = text && all();
let saving = false;
let sent = false; // a draft saved while the text is being posted would come back after it

async function save() {
  const now = all();
  if (saving || sent || now === saved || !typed()) return;
  saving = true;
  const body = new URLSearchParams({
    csrfmiddlewaretoken: field("csrfmiddlewaretoken"),
    target: form.dataset.draft,
    token: field("token"),
    text: text.value,
    title: field("title"),
    restored: field("restored"),
    restored_at: field("restored_at"),
  });
  for (const [name, values] of Object.entries(others())) {
    for (const value of values) body.append(name, value);
  }
  try {
    const answer = await fetch("/drafts/save/", { method: "POST", body });
    const said = await answer.json().catch(() => ({}));
    if (answer.ok) {
      saved = now;
      if (all() === now) {
        local.remove();
        form.dataset.kept = ""; // what is kept is not lost when the page is left
      }
      say(`Draft kept ${said.saved_at}.`);
    } else {
      say(said.error ?? "The draft is kept in this browser only: sign in again in another tab.");
    }
  } catch {
    say("No connection. The draft is kept in this browser.");
  }
  saving = false;
}

if (text) {
  forgetPosted();
  restore();
  form.addEventListener("submit", () => (sent = true));
  addEventListener("pageshow", () => (sent = false));
  form.addEventListener("input", () => {
    sent = false;
    if (all() === saved) return;
    delete form.dataset.kept;
    local.write({ text: text.value, fields: others(), token: field("token"), newer: true });
  });
  setInterval(save, EVERY);
  addEventListener("online", save);
  document.addEventListener("visibilitychange", () => document.hidden && save());
  document.addEventListener("collected", addCollected);
}
