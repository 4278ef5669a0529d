// A form that is on its way is not sent again by a second tap; its button shows that something happens. On pages of
// parents and staff. What a page's own script sends, it sees to itself.
(() => {
  "use strict";
  const PATIENCE = 8000; // milliseconds; then no answer will come, and it may be tried again

  const free = (form) => {
    delete form.dataset.sent;
    form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
  };

  // On the window: after the scripts of the page, which listen on the document.
  window.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.target) return;
    if (form.dataset.sent) return void event.preventDefault();
    form.dataset.sent = "yes";
    event.submitter?.setAttribute("aria-busy", "true");
    setTimeout(free, PATIENCE, form);
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(free)); // came back
})();
