// Places of the gazetteer are offered while one types where a debate leaves history.

import { all, ask, rested } from "./jonbar.js";

for (const list of all("datalist")) {
  const field = list.previousElementSibling;
  field.setAttribute("list", list.id); // else it would be told as a choice without any
  const offer = rested(async () => {
    const asked = field.value;
    if ([...list.options].some(({ value }) => value === asked)) return;
    const html = await ask(list.dataset.from + encodeURIComponent(asked));
    if (field.value === asked) list.innerHTML = html ?? "";
  }, 100);
  field.oninput = offer;
}
