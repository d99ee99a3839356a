// Pictures for a text: chosen, pasted or dropped into it, each sent at once.

import { changed, one, sent } from "./jonbar.js";

async function add(form, files) {
  const { text } = form;
  const state = one(".draft-state", form);
  for (const file of files) {
    state.textContent = "Sending the picture …";
    const body = new FormData(form);
    body.set("picture", file);
    const answer = await (await sent("/pictures/", body))?.json().catch(() => null);
    state.textContent = answer ? (answer.problem ?? "") : "The picture could not be sent.";
    if (!answer?.markdown) continue;
    const at = text.selectionEnd;
    const from = text.value.slice(0, at).trimEnd().length;
    text.setRangeText(`${from ? "\n\n" : ""}${answer.markdown}\n`, from, at);
    const inside = text.value.indexOf("![", from) + 2;
    text.setRangeText("What it shows", inside, inside, "select");
    text.focus();
    changed(text);
  }
}

function take(event) {
  const { files } = event.clipboardData ?? event.dataTransfer;
  if (event.target.name !== "text" || !files.length) return;
  event.preventDefault();
  add(event.target.form, files);
}
addEventListener("paste", take);
addEventListener("drop", take);
addEventListener("click", ({ target }) => {
  if (!target.matches(".choose-picture")) return;
  const input = Object.assign(document.createElement("input"), { type: "file" });
  input.onchange = () => add(target.form, input.files);
  input.click();
});
