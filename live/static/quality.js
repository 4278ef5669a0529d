// How good a call is, and when it falls back: pure functions over what the browser counts (RTCPeerConnection.getStats).
"use strict";

window.CallQuality = (() => {
  const LOOKS = 6; // weak looks in a row, two seconds apart, after which the call falls back

  // What one connection has counted so far: packets lost and received, and the delay there and back in seconds.
  function read(reports) {
    const counted = { lost: 0, got: 0, delay: 0 };
    const all = [...reports.values()];
    const chosen = all.find((report) => report.type === "transport" && report.selectedCandidatePairId)?.selectedCandidatePairId;
    for (const report of all) {
      if (report.type === "inbound-rtp") {
        counted.lost += report.packetsLost || 0;
        counted.got += report.packetsReceived || 0;
      } else if (report.type === "candidate-pair" && (chosen ? report.id === chosen : report.nominated)) {
        counted.delay = report.currentRoundTripTime || 0;
      }
    }
    return counted;
  }

  // 3 good, 2 fair, 1 weak: by the share that was lost since the look before, and the delay.
  function level(before, now) {
    const [lost, got] = [now.lost - before.lost, now.got - before.got];
    const share = lost > 0 ? lost / (lost + Math.max(got, 0)) : 0;
    if (share > 0.1 || now.delay > 0.8) return 1;
    return share > 0.03 || now.delay > 0.3 ? 2 : 3;
  }

  // One look further. ``was`` is { weak, step }: weak looks in a row; 0 pictures, 1 sound alone, 2 in writing.
  // ``deed`` is what is to be done now: "sound", "text", "back" (from writing to sound) or "". Pictures come back by hand.
  function next(was, level) {
    if (level > 1) return was.step === 2 ? { weak: 0, step: 1, deed: "back" } : { weak: 0, step: was.step, deed: "" };
    if (was.weak + 1 < LOOKS || was.step === 2) return { weak: was.weak + 1, step: was.step, deed: "" };
    return { weak: 0, step: was.step + 1, deed: was.step ? "text" : "sound" };
  }

  return { read, level, next };
})();
