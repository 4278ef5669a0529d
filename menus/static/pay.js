// Paying for what is held: the countdown, WeChat's cashier, and waiting for the money to be confirmed.
(() => {
  "use strict";
  const box = document.getElementById("pay");
  if (!box) return;
  const button = box.querySelector("button");
  const problem = box.querySelector("[role=alert]");
  const waiting = box.querySelector("[data-waiting]");
  const clock = document.getElementById("left");
  const csrf = box.elements.csrf_token.value;
  const ends = Date.now() + Number(box.dataset.left) * 1000;
  let asking = false;

  const show = (text) => {
    problem.textContent = text;
    problem.hidden = !text;
  };

  const tick = () => {
    const left = Math.max(0, Math.ceil((ends - Date.now()) / 1000));
    clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    clock.classList.toggle("soon", left < 60);
    if (left) return setTimeout(tick, 1000);
    wait();
  };

  const call = async (path, method) => {
    const answer = await fetch(path, { method, headers: { "X-CSRFToken": csrf, Accept: "application/json" } });
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.message || "");
    return body;
  };

  // Ask until it is paid or gone; what comes late comes as a message in WeChat.
  const wait = async () => {
    if (asking) return;
    asking = true;
    button.disabled = true;
    waiting.hidden = false;
    for (let turn = 0; turn < 90; turn += 1) {
      try {
        const { status } = await (turn % 4 ? call(box.dataset.state, "GET") : call(box.dataset.paid, "POST"));
        if (status !== "pending") return window.location.replace(box.dataset.then);
      } catch {
        // the next turn asks again
      }
      await new Promise((done) => setTimeout(done, 1000));
    }
    window.location.reload();
  };

  const cashier = (parameters) =>
    new Promise((done) => {
      const { timestamp, ...others } = parameters;
      const invoke = () =>
        window.WeixinJSBridge.invoke(
          "getBrandWCPayRequest",
          { ...others, appId: box.dataset.appid, timeStamp: timestamp },
          (result) => done(result.err_msg),
        );
      if (window.WeixinJSBridge) return invoke();
      document.addEventListener("WeixinJSBridgeReady", invoke, { once: true });
    });

  box.addEventListener("submit", async (event) => {
    event.preventDefault();
    show("");
    button.disabled = true;
    try {
      const { status, parameters } = await call(box.action, "POST");
      if (status !== "pending") return window.location.replace(box.dataset.then);
      const said = await cashier(parameters);
      if (said === "get_brand_wcpay_request:ok") return wait();
      show(said === "get_brand_wcpay_request:cancel" ? box.dataset.cancelled : box.dataset.failed);
    } catch (error) {
      show(error.message || box.dataset.failed);
    }
    button.disabled = ends <= Date.now();
  });
  button.disabled = ends <= Date.now(); // the page itself can't pay: until now nobody could press it
  tick();
})();
