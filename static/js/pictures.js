// Pictures for a text: chosen, pasted or dropped into it, each sent at once.

async function add(form, files) {
  const { text } = form.elements;
  const state = form.querySelector(".draft-state");
  for (const file of files) {
    state.textContent = "Sending the picture …";
    const body = new FormData(form);
    body.set("picture", file);
    const told = await fetch("/pictures/", { method: "POST", body })
      .then((answer) => answer.json())
      .catch(() => ({ problem: "The picture could not be sent." }));
    state.textContent = told.problem ?? "";
    if (told.problem) continue;
    const at = text.selectionEnd;
    const from = text.value.slice(0, at).trimEnd().length;
    text.setRangeText(`${from ? "\n\n" : ""}${told.markdown}\n`, from, at);
    const inside = text.value.indexOf("![", from) + 2;
    text.setRangeText("What it shows", inside, inside, "select");
    text.focus();
    text.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

function take(event) {
  const { files } = event.clipboardData ?? event.dataTransfer;
  if (event.target.name !== "text" || !files.length) return;
  event.preventDefault();
  add(event.target.form, files);
}
document.addEventListener("paste", take);
document.addEventListener("drop", take);
document.addEventListener("click", ({ target }) => {
  if (!target.matches(".choose-picture")) return;
  const input = document.createElement("input");
  input.type = "file";
  input.onchange = () => add(target.form, input.files);
  input.click();
});
