// The queue by keyboard, and a word to other moderators about which case is open.

const rows = [...document.querySelectorAll(".docket")];
for (const row of rows) {
  row.ontoggle = () => {
    if (!row.open) return;
    const csrfmiddlewaretoken = row.querySelector("[name=csrfmiddlewaretoken]").value;
    const body = new URLSearchParams({ look: row.dataset.case, csrfmiddlewaretoken });
    fetch("", { method: "POST", body }).catch(() => {});
  };
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || localStorage.keys === "off") return;
  if (event.target.closest("input:not([type=checkbox]), select, textarea")) return;
  const at = rows.findIndex((row) => row.contains(event.target));
  if (event.key === "j" || event.key === "k") {
    const next = at < 0 ? 0 : at + (event.key === "j" ? 1 : -1);
    rows[next]?.querySelector("summary").focus();
  } else if (event.key === "x" && at >= 0) {
    rows[at].parentElement.querySelector("input[name=chosen]").click();
  } else {
    const open = at >= 0 ? rows[at] : rows.find((row) => row.open);
    const button = open?.open && open.querySelector(`button[data-key="${CSS.escape(event.key)}"]`);
    if (!button) return;
    button.click();
  }
  event.preventDefault();
});
