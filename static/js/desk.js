// mptt's script takes the Return key in a row of boards for a wish to open the board; on a button it
// is the button's. And it moves the focus to the first row, also where a board was just moved.
for (const button of document.querySelectorAll(".shift")) {
  button.onkeydown = (event) => event.stopPropagation();
}
addEventListener("load", () => {
  document.getElementById(location.hash.slice(1))?.querySelector(".shift")?.focus();
});
