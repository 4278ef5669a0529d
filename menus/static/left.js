// How long held numbers are still held: each place says the seconds that were left when the page was made.
(() => {
  "use strict";
  const made = Date.now();
  const places = [...document.querySelectorAll("[data-left]")];
  const tick = () => {
    const gone = (Date.now() - made) / 1000;
    for (const place of places) {
      const left = Math.ceil(Number(place.dataset.left) - gone);
      if (left <= 0) return window.location.reload();
      place.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      place.classList.toggle("soon", left < 60);
    }
    setTimeout(tick, 1000);
  };
  if (places.length) tick();
})();
