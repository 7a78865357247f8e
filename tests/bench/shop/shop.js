// What a small shop's own script does. It uses no promises, so that every microtask of the page is
// the kit's.
const [{ price }] = window.dataLayer;
document.getElementById("price").textContent = "₴ " + price;
const names = ["Sleeping mat", "Down bag", "Backpack 55 l", "Gas stove", "Pot 2 l", "Mug", "Tarp"];
document.getElementById("related").innerHTML = names
  .map((name, index) => `<li><b>${name}</b><br>₴ ${(index + 1) * 310}</li>`)
  .join("");
document.getElementById("buy").addEventListener("click", () => document.title.trim());
