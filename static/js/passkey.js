// Says so when a key does not answer: allauth's script tells the console alone.
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  document.getElementById("key-failed").hidden = false;
});
