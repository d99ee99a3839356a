// Forms that write: drafts on the server every few seconds, in this browser when it is offline. The
// forms are complete without it.

const EVERY = 3000;

// What belongs to one sending, and what a draft keeps apart from the other fields.
const OWN = ["csrfmiddlewaretoken", "do", "restored", "restored_at", "target", "text", "title", "to", "token"];

function tend(form) {
  const { text } = form.elements;
  const field = (name) => form.elements[name]?.value ?? "";
  const say = (words) => {
    form.querySelector(".draft-state").textContent = words;
  };

  // The browser's copy of what the server does not hold yet. It goes when any of the forms that it
  // stood in (`tokens`) is posted or discarded, see jonbar.js. `draft`: the server's copy.
  let tokens = [field("token")];
  let draft = null;
  let before = `draft:${form.dataset.draft}`;
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
      if (before !== this.key()) localStorage.removeItem(before); // it answers another post now
      before = this.key();
      try {
        localStorage.setItem(this.key(), JSON.stringify(entry));
      } catch {
        // Full or forbidden: the server's draft remains.
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

  const all = () =>
    JSON.stringify([form.dataset.draft, text.value, field("title"), others()]);

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
      form.elements[name]?.remove();
      const input = document.createElement("input");
      if (known) form.append(Object.assign(input, { type: "hidden", name, value: known[name] }));
    }
  }

  async function newest() {
    const target = encodeURIComponent(form.dataset.draft);
    const answer = await fetch(`/drafts/newest/?target=${target}`).catch(() => null);
    // Who was signed out meanwhile gets the sign-in page, which is no JSON.
    const found = answer?.ok ? await answer.json().catch(() => ({})) : {};
    return found.text ? found : null;
  }

  // The server's answer removes it, so it is newer than a draft of the same text. A draft of another
  // text stays where it is.
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
    if (!form.isConnected) return;
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
    const body = new URLSearchParams(new FormData(form));
    body.set("target", form.dataset.draft);
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

  // Also the form that discards: nothing is kept anew on leaving.
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
  form.addEventListener("putaway", save);
  restore();
}

document.querySelectorAll("form[data-draft]").forEach(tend);
document.addEventListener("opened", (event) => tend(event.target)); // see compose.js
