// Pictures for a text: chosen, pasted or dropped into it, each sent at once.

async function add(form, files) {
  const { text, csrfmiddlewaretoken: csrf } = form.elements;
  const state = form.querySelector(".draft-state");
  for (const file of files) {
    state.textContent = "Sending the picture …";
    const body = new FormData();
    body.append("picture", file);
    body.append(csrf.name, csrf.value);
    const answer = await fetch("/pictures/", { method: "POST", body }).catch(() => null);
    const told = await answer?.json().catch(() => null);
    state.textContent = told ? (told.problem ?? "") : "The picture could not be sent.";
    if (!told?.markdown) continue;
    const { selectionEnd: at, value } = text;
    const from = value.slice(0, at).trimEnd().length;
    const lines = `${from ? "\n\n" : ""}${told.markdown}\n`;
    text.setRangeText(lines, from, at);
    const inside = from + lines.indexOf("[") + 1;
    text.setRangeText("What it shows", inside, inside, "select");
    text.focus();
    text.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

const take = (event) => {
  const { files } = event.clipboardData ?? event.dataTransfer;
  if (event.target.name !== "text" || !files.length) return;
  event.preventDefault();
  add(event.target.form, files);
};
document.addEventListener("paste", take);
document.addEventListener("drop", take);
document.addEventListener("click", ({ target }) => {
  if (!target.matches(".choose-picture")) return;
  const input = Object.assign(document.createElement("input"), { type: "file" });
  input.onchange = () => add(target.form, input.files);
  input.click();
});
