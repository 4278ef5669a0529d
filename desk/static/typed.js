// What was typed, chosen or ticked in a form since it was sent stays when the part that comes back takes its place.
window.Typed = (() => {
  "use strict";
  const BOXES = "input:not([type=hidden], [type=file]), select, textarea";
  const plain = (text) => text.replaceAll("\r\n", "\n");
  const ticks = (box) => box.type === "checkbox" || box.type === "radio";

  // The boxes of a form by name, ticks by their value too, and their place among those of the same name.
  function named(form) {
    const count = {}, found = new Map();
    for (const box of form.querySelectorAll(BOXES)) {
      if (!box.name || box.disabled) continue;
      const key = ticks(box) ? `${box.name}=${box.value}` : box.name;
      count[key] = (count[key] || 0) + 1;
      found.set(`${key}#${count[key]}`, [box, count[key] - 1]);
    }
    return found;
  }

  // `sent`: the FormData of the whole `form` when it was sent. Returns whether anything was taken over into `fresh`.
  function keep(form, sent, fresh) {
    let any = false;
    const after = fresh ? named(fresh) : new Map();
    for (const [key, [box, n]] of form && sent ? named(form) : []) {
      const there = after.get(key)?.[0], before = sent.getAll(box.name);
      if (!there) continue;
      if (ticks(box)) {
        if (box.checked === before.includes(box.value)) continue;
        there.checked = box.checked;
      } else {
        if (before[n] === undefined || plain(before[n]) === plain(box.value)) continue;
        there.value = box.value;
      }
      any = true;
    }
    return any;
  }

  // A selector that finds the same element in another copy of the page's part.
  function selector(element) {
    if (!element || !(element.id || element.name)) return "";
    if (element.id) return `#${CSS.escape(element.id)}`;
    const value = element.tagName === "BUTTON" || ticks(element) ? `[value="${CSS.escape(element.value)}"]` : "";
    return `[name="${CSS.escape(element.name)}"]${value}`;
  }

  // The box in which somebody types: its selector and its caret. Null for none.
  function place(root) {
    const box = document.activeElement;
    if (!root.contains(box) || !box.matches(BOXES) || !selector(box)) return null;
    return { at: selector(box), from: box.selectionStart, to: box.selectionEnd };
  }

  function resume(root, { at, from, to }) {
    const box = root.querySelector(at);
    if (!box) return false;
    box.focus();
    if (typeof from === "number") box.setSelectionRange(from, to);
    return true;
  }

  // Where the focus goes in the part that came: it stays where somebody types since (`here`; `was` had it when the form
  // was sent), else goes to what is wrong, else to `to`. Returns whether it went anywhere.
  function focus(fresh, here, was, to) {
    const wrong = fresh.querySelector("[aria-invalid]");
    if (here && (here.at !== was || (!wrong && to === was)) && resume(fresh, here)) return true;
    const next = wrong || (to && fresh.querySelector(to));
    if (next) next.focus();
    return Boolean(next);
  }

  return { keep, selector, place, focus };
})();
