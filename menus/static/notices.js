// The Allow button is WeChat's own tag: it appears when WeChat says that it works here. What was agreed is counted when
// WeChat tells the clinic; what this page says at once is only a hint.
(() => {
  "use strict";
  const block = document.getElementById("agree");
  if (!block || !window.wx || !block.dataset.config) return;
  const elsewhere = block.querySelector(".agree__elsewhere");
  const tags = [];
  const said = block.querySelector(".agree__said");

  const parsed = (value) => {
    try {
      return typeof value === "string" ? JSON.parse(value) : value || {};
    } catch {
      return {};
    }
  };
  const accepted = (details) => Object.values(parsed(details)).some((choice) => parsed(choice).status === "accept");
  // WeChat has told the clinic by then, as a rule.
  const recount = async () => {
    const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
    page.querySelectorAll("[data-left]").forEach((fresh, n) => block.querySelectorAll("[data-left]")[n]?.replaceWith(fresh));
  };
  const show = (works) => {
    elsewhere.hidden = works;
    tags.forEach((tag) => (tag.hidden = !works));
  };
  const put = (template) => {
    const tag = template.content.cloneNode(true).querySelector("wx-open-subscribe");
    tag.addEventListener("success", (event) => {
      const yes = accepted(event.detail.subscribeDetails);
      said.textContent = yes ? block.dataset.thanks : block.dataset.declined;
      if (yes) setTimeout(recount, 1500);
    });
    tag.addEventListener("error", (event) => {
      said.textContent = String(event.detail.errCode) === "20004" ? block.dataset.off : block.dataset.failed;
    });
    tags.push(tag);
    template.after(tag);
  };

  document.addEventListener("WeixinOpenTagsError", () => show(false));
  window.wx.ready(() => {
    block.querySelectorAll("template").forEach(put);
    show(true);
  });
  window.wx.error(() => show(false));
  window.wx.config({
    debug: false,
    ...JSON.parse(block.dataset.config),
    jsApiList: ["closeWindow"],
    openTagList: ["wx-open-subscribe"],
  });
})();
