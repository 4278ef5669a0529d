// Copies a text of the page; where the browser doesn't let us, the text is marked for the person to copy.
(() => {
  "use strict";
  const button = document.querySelector("[data-copy]");
  if (!button) return;
  const place = document.getElementById(button.dataset.copy);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(place.textContent);
      button.textContent = button.dataset.done;
    } catch {
      const range = document.createRange();
      range.selectNodeContents(place);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      if (document.execCommand("copy")) button.textContent = button.dataset.done;
    }
  });
  button.disabled = false;
})();
