// The field in the masthead offers debates and members while one types; Return searches as ever.
const find = document.querySelector(".find form");
const offered = find.lastElementChild;
let timer;
let asked;
find.addEventListener("input", () => {
  clearTimeout(timer);
  asked?.abort();
  timer = setTimeout(async () => {
    asked = new AbortController();
    const { signal } = asked;
    const typed = new URLSearchParams(new FormData(find));
    try {
      const answer = await fetch(`${find.action}offer/?${typed}`, { signal });
      const list = answer.ok ? await answer.text() : "";
      if (!signal.aborted) offered.innerHTML = list;
    } catch {
      // Typed on, or offline.
    }
  }, 250);
});
const away = (event) => find.contains(event.target) || offered.replaceChildren();
for (const kind of ["click", "focusin"]) addEventListener(kind, away);
find.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !offered.firstChild) return;
  event.preventDefault(); // what was typed stays
  offered.replaceChildren();
});
