// A short wait: the time left, then the button that sends the same again.
(() => {
  "use strict";
  const box = document.querySelector("[data-wait]");
  if (!box) return;
  const button = box.querySelector("button");
  const clock = document.getElementById("left");
  const ends = Date.now() + Number(box.dataset.wait) * 1000;

  const tick = () => {
    const left = Math.max(0, Math.ceil((ends - Date.now()) / 1000));
    clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    button.disabled = left > 0;
    if (left) setTimeout(tick, 500);
  };
  tick();
})();
