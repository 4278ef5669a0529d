// Choosing a province or a city shows the next choice at once; without this script a button does it.
(() => {
  "use strict";
  const next = document.querySelector("button[name=step][value]");
  if (!next) return;
  const fields = ["province", "city", "district"].map((name) => document.getElementById(name)).filter(Boolean);
  next.hidden = true;
  fields.forEach((field, place) => {
    field.addEventListener("change", () => {
      const below = fields.slice(place + 1);
      if (!below.length && !("more" in field.selectedOptions[0].dataset)) return; // nothing stands below it
      below.forEach((one) => (one.value = ""));
      next.click();
    });
  });
})();
