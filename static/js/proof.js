// Works out the sum that a form asks for (core/proof_of_work.py) while one reads and types. A form
// that is sent before it is done waits for it. Without Web Crypto it goes as without JavaScript.

const field = document.querySelector("[data-challenge]");
const { form } = field;
const state = form.querySelector("[data-proof]");
const challenge = JSON.parse(field.dataset.challenge);
const { nonce, salt, cost, keyLength, keyPrefix } = challenge.parameters;
const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
const without = state.textContent;
let button;
let busy = true;

async function derived(counter) {
  const password = new Uint8Array([...bytes(nonce), 0, 0, 0, 0]);
  new DataView(password.buffer).setUint32(16, counter);
  const how = { name: "PBKDF2", hash: "SHA-256", salt: bytes(salt), iterations: cost };
  const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
  const bits = new Uint8Array(await crypto.subtle.deriveBits(how, key, 8 * keyLength));
  return Array.from(bits, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function solve() {
  for (let counter = 0; ; counter++) {
    const derivedKey = await derived(counter);
    if (derivedKey.startsWith(keyPrefix)) return { counter, derivedKey };
    if (counter % 16 === 15) await new Promise((resume) => setTimeout(resume));
  }
}

if (crypto.subtle) {
  state.textContent = "Your browser works out a sum, which keeps out programs that send much …";
  form.addEventListener("submit", (event) => {
    if (!busy) return;
    event.preventDefault();
    button = event.submitter;
    state.textContent = "The sum is not done yet. The form is sent as soon as it is.";
  });
  const solution = await solve().catch(() => null);
  if (solution) field.value = btoa(JSON.stringify({ challenge, solution }));
  busy = false;
  state.textContent = solution ? "Your browser's sum is done." : without;
  if (button !== undefined) form.requestSubmit(button);
}
