// Trying camera and microphone before the visit: a picture of oneself and a bar that moves. It never stands in the way.
(() => {
  "use strict";
  const card = document.querySelector("[data-try]");
  if (!card) return;
  const [video, meter, said, button] = ["video", "meter", ".try__said", "button"].map((one) => card.querySelector(one));
  let stream = null;
  card.hidden = false;

  const stop = () => {
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = null;
    video.hidden = meter.hidden = true;
  };

  const listen = () => {
    const context = new (window.AudioContext || window.webkitAudioContext)();
    const analyser = context.createAnalyser();
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Uint8Array(analyser.fftSize);
    const mine = stream;
    const tick = () => {
      if (stream !== mine) return context.close();
      analyser.getByteTimeDomainData(samples);
      const loud = Math.min(100, samples.reduce((most, one) => Math.max(most, Math.abs(one - 128)), 0) * 2);
      meter.value = loud;
      if (loud > 8) said.textContent = card.dataset.works;
      setTimeout(tick, 100);
    };
    tick();
  };

  const begin = async () => {
    stop();
    if (/WindowsWechat|MacWechat/i.test(navigator.userAgent)) return void (said.textContent = card.dataset.computer);
    if (!navigator.mediaDevices) return void (said.textContent = card.dataset.refused);
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" }, audio: true });
    } catch (error) {
      const missing = ["NotFoundError", "OverconstrainedError", "NotReadableError"].includes(error.name);
      said.textContent = missing ? card.dataset.none : card.dataset.refused;
      return;
    }
    video.srcObject = stream;
    video.hidden = meter.hidden = false;
    said.textContent = card.dataset.silent;
    video.play().catch(() => {});
    listen();
  };

  button.addEventListener("click", begin);
  button.disabled = false;
  window.addEventListener("pagehide", stop);
  document.addEventListener("clinic:called", () => {
    stop(); // the visit needs them now
    card.hidden = true;
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) stop(); // the camera must be free for the visit
  });
})();
