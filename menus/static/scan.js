// The scan button: opens WeChat's scanner and sends what it read. Without it the page's photo form does the same.
(() => {
  "use strict";
  const form = document.getElementById("scan");
  if (!form || !window.wx) return;
  const button = form.querySelector("button");
  const problem = form.querySelector("[role=alert]");

  const fail = () => {
    problem.textContent = form.dataset.failed;
    problem.hidden = false;
  };

  window.wx.config({ debug: false, ...JSON.parse(form.dataset.config), jsApiList: ["scanQRCode"] });
  window.wx.ready(() => {
    form.hidden = false;
  });
  window.wx.error(() => {
    form.hidden = true;
  });
  button.addEventListener("click", () => {
    problem.hidden = true;
    window.wx.scanQRCode({
      needResult: 1,
      scanType: ["qrCode"],
      success: (result) => {
        if (!result.resultStr) return fail();
        form.elements.code.value = result.resultStr;
        form.submit();
      },
      fail,
    });
  });
  button.disabled = false;
})();
