// The field in the masthead offers debates and members while one types.
import { ask, one, rested } from "./jonbar.js";

const find = one(".find form");
const offered = find.lastElementChild;
const typed = () => `${new URLSearchParams(new FormData(find))}`;
const offer = rested(async () => {
  const asked = typed();
  const list = await ask(`${find.action}offer/?${asked}`);
  if (typed() === asked) offered.innerHTML = list ?? "";
}, 250);
find.oninput = offer;
find.onkeydown = (event) => {
  if (event.key !== "Escape" || !offered.firstChild) return;
  event.preventDefault(); // what was typed stays
  offered.replaceChildren();
};
