// The waiting room looks again every few seconds, and at once when the phone is unlocked or the live channel says so.
// What somebody is typing is never touched.
(() => {
  "use strict";
  const place = document.querySelector("[data-line]");
  if (!place) return;
  const title = document.title;
  let busy = false;
  let again = false; // asked while an answer was on its way, which may be older
  let touched = false; // something was filled in here

  const typing = () => {
    const at = document.activeElement;
    return at && /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName) && document.body.contains(at);
  };

  const show = (next) => {
    const before = place.dataset.state;
    const state = next ? next.dataset.state : "";
    const room = ["inside", "finished", "form", "write", "writing"]; // the page has other parts then
    if (state !== before && (room.includes(state) || !state || before === "inside" || before === "writing")) {
      if (!typing()) window.location.reload();
      return;
    }
    if (before === "form" || before === "write" || touched) return;
    place.innerHTML = next.innerHTML;
    place.dataset.state = state;
    for (const one of document.querySelectorAll("[data-until-call]")) one.hidden = state === "called";
    document.title = state === "called" ? `☎ ${title}` : title;
    if (state === "called" && before !== "called") {
      document.dispatchEvent(new Event("clinic:called"));
      if (navigator.vibrate) navigator.vibrate([400, 200, 400, 200, 400]);
      place.scrollIntoView({ block: "start" });
    }
  };

  const look = async () => {
    if (document.hidden) return;
    if (busy) return void (again = true);
    busy = true;
    try {
      const answer = await fetch(place.dataset.line, { cache: "no-store", redirect: "manual" });
      if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-state]"));
    } catch {
      // no network: the next look may have one
    } finally {
      busy = false;
    }
    if (again) {
      again = false;
      await look();
    }
  };

  place.addEventListener("input", () => (touched = true));
  document.addEventListener("visibilitychange", look);
  window.addEventListener("online", look);
  window.addEventListener("load", () => {
    if (window.Live) window.Live.listen(place.dataset.stream, look);
    setInterval(look, window.Live ? 20000 : 4000);
  });
})();
