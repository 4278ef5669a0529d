// The time left to answer; when it is over, the page is asked for anew and says what became of it.
(() => {
  "use strict";
  const box = document.querySelector("[data-ends-in]");
  if (!box) return;
  const ends = Date.now() + Number(box.dataset.endsIn) * 1000;
  const clock = box.querySelector("[role=timer]");

  const tick = () => {
    const left = Math.max(0, Math.ceil((ends - Date.now()) / 1000));
    if (clock) {
      clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      clock.classList.toggle("soon", left < 60);
    }
    if (left) return setTimeout(tick, 1000);
    window.location.reload();
  };
  tick();
})();
