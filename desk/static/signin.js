// The computer's sign-in page: asks how far its code has come, and goes in when the phone has confirmed.
"use strict";

const code = document.getElementById("code");
const EVERY = 1500; // milliseconds

function show(status) {
  for (const part of code.querySelectorAll("[data-when]")) {
    part.hidden = !part.dataset.when.split(" ").includes(status);
  }
  for (const part of code.querySelectorAll("[data-until]")) part.hidden = part.dataset.until !== status;
}

async function look() {
  let status = null;
  try {
    const answer = await fetch(code.dataset.state, { headers: { Accept: "application/json" } });
    status = answer.ok ? (await answer.json()).status : null;
  } catch {
    // away for a moment: asked again
  }
  if (status) show(status);
  if (status === "confirmed") code.querySelector("form").submit();
  else if (status !== "over") setTimeout(look, EVERY);
}

setTimeout(look, EVERY);
