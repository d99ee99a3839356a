// A text that met a moderator's work goes once more by itself, unless one writes in it. Its mark tells
// the server not to ask for that again.
import { one } from "./jonbar.js";

const form = one("form[data-by-itself]");
const timer = setTimeout(() => {
  form.sent_by_itself.disabled = false;
  form.requestSubmit();
}, 10000);
form.onsubmit = () => clearTimeout(timer);
form.oninput = () => {
  clearTimeout(timer);
  one("[role=status]", form)?.remove();
};
