// Forms that write: drafts on the server every few seconds, in this browser when it is offline, and
// the passages that were collected while reading. The forms are complete without it.

const EVERY = 3000;

// What belongs to one sending of a form, and what a draft keeps apart from the other fields.
const OWN = ["csrfmiddlewaretoken", "do", "restored", "restored_at", "target", "text", "title", "to", "token"];

// Keep what one form holds.
function tend(form) {
  const text = form.querySelector("textarea[name=text]");
  const field = (name) => form.querySelector(`[name=${name}]`)?.value ?? "";
  const say = (words) => {
    form.querySelector(".draft-state").textContent = words;
  };

  // The browser's copy of what the server does not hold yet. `tokens` are those of all forms that
  // the text has stood in: whichever of them was posted or discarded, it goes (see jonbar.js).
  // `draft` is what the server last said about its own copy.
  let tokens = [field("token")];
  let draft = null;
  const local = {
    key: () => `draft:${form.dataset.draft}`,
    read() {
      try {
        return JSON.parse(localStorage.getItem(this.key()));
      } catch {
        return null;
      }
    },
    write() {
      const entry = { text: text.value, fields: others(), tokens, draft };
      try {
        localStorage.setItem(this.key(), JSON.stringify(entry));
      } catch {
        // Full or forbidden storage: the server's draft remains.
      }
    },
    remove() {
      if (this.read()?.tokens?.includes(field("token"))) localStorage.removeItem(this.key());
    },
  };

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

  function put(value, fields) {
    text.value = value;
    putOthers(fields);
    changed();
  }
  const changed = () => text.dispatchEvent(new Event("input", { bubbles: true }));

  const after = (before, words) => (before.trim() ? `${before.trimEnd()}\n\n${words}` : words);

  // The draft that lives on in this form goes with it; null: there is none.
  function livesOn(known) {
    for (const name of ["restored", "restored_at"]) {
      let input = form.querySelector(`[name=${name}]`);
      if (!known) {
        input?.remove();
        continue;
      }
      if (!input) {
        input = Object.assign(document.createElement("input"), { type: "hidden", name });
        form.append(input);
      }
      input.value = known[name];
    }
  }

  async function newest() {
    const target = encodeURIComponent(form.dataset.draft);
    const answer = await fetch(`/drafts/newest/?target=${target}`).catch(() => null);
    // Who was signed out meanwhile gets the sign-in page, which is no JSON.
    const found = answer?.ok ? await answer.json().catch(() => ({})) : {};
    return found.text ? found : null;
  }

  // What this browser kept is newer than any draft of the same text: it is removed once the server
  // has it. A draft that is not of this text stays where it is.
  async function restoreKept(kept) {
    const added = form.dataset.added ?? "";
    tokens = [...new Set([...(kept.tokens ?? []), ...tokens])];
    draft = kept.draft;
    put(kept.text.includes(added.trim()) ? kept.text : after(kept.text, added), kept.fields);
    say("Your text was restored from this browser.");
    if (!tokens.includes(field("restored"))) livesOn(draft);
    const found = await newest();
    if (found && tokens.includes(found.restored) && found.restored !== field("token")) livesOn(found);
  }

  async function restore() {
    const kept = form.hasAttribute("data-unsaved") ? null : local.read();
    if (kept && kept.text === text.value && field("restored")) localStorage.removeItem(local.key());
    else if (kept?.text && kept.text !== text.value) await restoreKept(kept);
    else if (text.value === "" && !field("restored")) {
      const found = await newest();
      if (found && text.value === "") {
        livesOn(found);
        text.value = found.text;
        putOthers(found.fields);
        saved = all();
        form.dataset.kept = "";
        changed();
        say(`Your text was restored from the draft of ${found.saved_at}.`);
      }
    }
    if (field("restored")) tokens = [...new Set([field("restored"), ...tokens])];
    addCollected();
  }

  function addCollected() {
    const collected = JSON.parse(sessionStorage.getItem("collected") ?? "[]");
    if (!collected.length) return;
    sessionStorage.removeItem("collected");
    put(after(text.value, collected.join("")));
  }

  let saved = all();
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
        draft = { restored: field("token"), restored_at: said.restored_at };
        if (all() === now) {
          local.remove();
          form.dataset.kept = ""; // what is kept is not lost when the page is left
        } else local.write();
        say(`Draft kept ${said.saved_at}.`);
      } else {
        say(said.error ?? "The draft is kept in this browser only: sign in again in another tab.");
      }
    } catch {
      say("No connection. The draft is kept in this browser.");
    }
    saving = false;
  }

  // Also the form that discards: what it throws away is not to be kept anew on leaving.
  addEventListener("submit", (event) => (sent = !event.defaultPrevented));
  addEventListener("pageshow", () => (sent = false));
  form.addEventListener("input", () => {
    sent = false;
    if (all() === saved) return;
    delete form.dataset.kept;
    local.write();
  });
  setInterval(save, EVERY);
  addEventListener("online", save);
  document.addEventListener("visibilitychange", () => document.hidden && save());
  document.addEventListener("collected", addCollected);
  restore();
}

document.querySelectorAll("form[data-draft]").forEach(tend);
