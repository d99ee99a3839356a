// The switch on the page of keys: single keys can be in the way of speech input.

const box = document.querySelector("input[name=keys]");
box.checked = localStorage.keys !== "off";
box.onchange = () => (localStorage.keys = box.checked ? "on" : "off");
