// Telling the doctor: questions appear as answers ask for them, the weight is shown in kilograms, and what was typed is
// kept when the page is left. Without this script the same happens with each tap on Next.
"use strict";

const form = document.getElementById("told");
const asked = [...form.querySelectorAll("[data-when]")];

function given(name, value) {
  return [...form.elements].some((field) => {
    if (field.name !== name || field.closest("[hidden]")) return false;
    return field.type === "radio" || field.type === "checkbox" ? field.checked && field.value === value : field.value === value;
  });
}

function show() {
  for (const question of asked) {
    const when = JSON.parse(question.dataset.when);
    const here = when.of.filter(([name]) => form.elements[name]);
    if (here.length < when.of.length && !here.length) continue; // asked on another page: the server has decided
    const held = here.filter(([name, value]) => given(name, value)).length;
    const elsewhere = here.length < when.of.length && question.dataset.shown === "1";
    question.hidden = !(elsewhere || (when.all ? held === when.of.length : held > 0));
  }
}

function weigh() {
  const said = form.querySelector("[data-weight]");
  if (!said) return;
  const typed = parseFloat(form.elements.weight.value.replace(",", "."));
  const jin = form.elements["weight.unit"].value === "jin";
  said.textContent = typed > 0 && jin ? said.dataset.weight.replace("#", String(Math.round(typed * 50) / 100)) : "";
}

// "None of these" among symptoms takes the others back, and the other way round.
function alone(event) {
  const tapped = event.target;
  if (tapped.type !== "checkbox" || !tapped.checked) return;
  for (const other of form.querySelectorAll(`input[type=checkbox][name="${tapped.name}"]`)) {
    if (other !== tapped && (tapped.value === "none" || other.value === "none")) other.checked = false;
  }
}

for (const question of asked) question.dataset.shown = question.hidden ? "0" : "1";
// What was typed before this script ran counts, too.
const touched = (field) => (/^(radio|checkbox)$/.test(field.type) ? field.checked !== field.defaultChecked : "defaultValue" in field && field.value !== field.defaultValue);
let changed = [...form.elements].some(touched);
let sent = false;
form.addEventListener("input", () => { changed = true; show(); weigh(); });
form.addEventListener("change", (event) => { changed = true; alone(event); show(); weigh(); });
form.addEventListener("submit", () => { sent = true; });
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "hidden" || !changed || sent) return;
  const typed = new FormData(form);
  typed.set("leave", "1");
  if (navigator.sendBeacon(form.action, typed)) changed = false;
});
show();
weigh();
