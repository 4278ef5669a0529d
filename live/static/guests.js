// Who else is in the room: shown anew when somebody is invited, joins or leaves; nothing else on the page moves.
"use strict";

(() => {
  const call = document.getElementById("call");
  if (!call) return;
  const { stream, base, after } = call.dataset;
  Live.listen(stream, async (event) => {
    if (event.kind !== "guest") return;
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const [now, then] = [document.getElementById("guests"), page.getElementById("guests")];
    if (now && then) now.replaceWith(then);
    call.dataset.people = page.getElementById("call")?.dataset.people || call.dataset.people;
  }, { after, poll: `${base}/events` });
})();
