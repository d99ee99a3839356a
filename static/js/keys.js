// The switch on the page of keys: single keys can be in the way of speech input.

const box = document.querySelector("input[name=keys]");
box.checked = localStorage.getItem("keys") !== "off";
box.addEventListener("change", () => localStorage.setItem("keys", box.checked ? "on" : "off"));
