// Two maps on one frame: how far the range stands, so much of the second is shown.

const pair = document.querySelector("#pair");
const range = pair.querySelector("input");
const cut = () => pair.style.setProperty("--shown", `${range.value}%`);
pair.classList.add("over");
range.parentElement.hidden = false;
range.oninput = cut;
cut();
