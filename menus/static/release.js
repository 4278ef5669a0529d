// The countdown to a release, by the clinic's clock. When it is over the page is asked for once, each phone a little
// later than the other, so that thousands do not ask in the same moment.
(() => {
  "use strict";
  const places = document.querySelectorAll("[data-opens]");
  if (!places.length) return;
  const opens = Number(places[0].dataset.opens);
  const mark = `release-${opens}`;
  let ahead = 0; // by how much the clinic's clock is ahead of the phone's
  let asked = false;

  const two = (number) => String(number).padStart(2, "0");
  const text = (seconds) => {
    const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
    return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
  };

  const ask = () => {
    if (asked) return;
    asked = true;
    const turn = Number(sessionStorage.getItem(mark) || 0);
    if (turn > 2) return; // still not open: the page says when, and the person decides
    sessionStorage.setItem(mark, String(turn + 1));
    setTimeout(() => window.location.reload(), Math.random() * 2000 + turn * 3000);
  };

  const tick = () => {
    const left = Math.ceil((opens - Date.now() - ahead) / 1000);
    for (const place of places) {
      place.hidden = false;
      place.textContent = text(Math.max(0, left));
    }
    if (left > 0) setTimeout(tick, 1000 - ((Date.now() + ahead) % 1000));
    else ask();
  };

  const set = async () => {
    const sent = Date.now();
    try {
      const { now } = await (await fetch("/clock", { cache: "no-store" })).json();
      ahead = now - (sent + Date.now()) / 2;
    } catch {
      // without an answer the phone's own clock counts
    }
  };

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) set();
  });
  set().then(tick);
})();
