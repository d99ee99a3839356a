// A text that met a moderator's work goes once more by itself; its mark then tells the server not to
// ask for that again. Whoever writes in it sends it by hand.
const waiting = document.querySelector("form[data-by-itself]");
const timer = setTimeout(() => {
  waiting.querySelector("[name=sent_by_itself]").disabled = false;
  waiting.requestSubmit();
}, 10000);
waiting.onsubmit = () => clearTimeout(timer);
waiting.oninput = () => {
  clearTimeout(timer);
  waiting.querySelector("[role=status]")?.remove();
};
