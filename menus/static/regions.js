// Choosing a province or a city shows the next choice at once; without this script a button does it.
(() => {
  "use strict";
  const next = document.querySelector("button[name=step][value]");
  if (!next) return;
  const fields = ["province", "city", "district"].map((name) => document.getElementById(name)).filter(Boolean);
  next.hidden = true;
  fields.forEach((field, place) => {
    field.addEventListener("change", () => {
      fields.slice(place + 1).forEach((below) => (below.value = ""));
      next.click();
    });
  });
})();
