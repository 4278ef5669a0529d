/* WeChat's browser inside a phone: title bar, progress, history, and the JS-SDK's other end. */

import { h, iconButton } from "./dom.js";
import { post, state } from "./live.js";
import { t } from "./text.js";

const PAY = { chooseWXPay: "chooseWXPay", getBrandWCPayRequest: "get_brand_wcpay_request" };

/** A web view of one phone; `act` has scan(types), pay(params, page), sheet(title, choices), toast(text), closed(). */
export class WebView {
  constructor(phone, act) {
    this.phone = phone;
    this.act = act;
    this.history = [];
    this.element = h("div", { class: "view webview", hidden: true, "data-testid": "webview" });
  }

  get isOpen() {
    return !this.element.hidden;
  }

  /** Open an address as a new page of the chat. */
  open(url) {
    this.history = [];
    this.title = h("h2", { "data-testid": "webview-title" }, t("loading"));
    this.bar = h("div", { class: "progress", role: "progressbar", "aria-label": t("loading") });
    this.backButton = iconButton("back", t("back"), () => this.back(), { "data-testid": "back", hidden: true });
    this.frame = h("iframe", {
      name: "webview",
      title: t("wechat"),
      "data-testid": "webview-frame",
      allow: "camera; microphone; autoplay; fullscreen; clipboard-write",
      sandbox: "allow-scripts allow-same-origin allow-forms allow-modals allow-downloads allow-popups",
      onload: () => this.loaded(),
    });
    const left = h(
      "div",
      { class: "side" },
      this.backButton,
      iconButton("close", t("close"), () => this.close(), { "data-testid": "close" }),
    );
    const right = h(
      "div",
      { class: "side end" },
      iconButton("more", t("more"), () => this.more(), { "data-testid": "webview-more" }),
    );
    this.element.replaceChildren(
      h("header", { class: "top" }, left, this.title, right, this.bar),
      this.frame,
      this.snapshotBar(),
    );
    this.element.hidden = false;
    this.asked = url;
    const frame = this.frame; // it loads when it has slid in: a page that moves can't be touched where it is seen
    const slid = Promise.allSettled(this.element.getAnimations().map((animation) => animation.finished));
    slid.then(() => frame === this.frame && this.go(url));
  }

  snapshotBar() {
    const full = async () => {
      if (!(await post(`/phones/${this.phone.id}`, { snapshot: false }))) return;
      this.phone.snapshot = false;
      this.open(this.history.at(-1) || this.asked);
    };
    return h(
      "div",
      { class: "snapshot", hidden: !this.phone.snapshot },
      h("span", {}, t("snapshotBar")),
      h("button", { type: "button", "data-testid": "full-service", onclick: full }, t("fullService")),
    );
  }

  go(url) {
    this.asked = url;
    this.loading();
    this.frame.src = `/phones/${this.phone.id}/open?url=${encodeURIComponent(url)}`;
  }

  loading() {
    if (!this.isOpen) return;
    this.bar.className = "progress";
    void this.bar.offsetWidth; // start the animation again
    this.bar.classList.add("running");
  }

  loaded() {
    this.bar.className = "progress done";
  }

  /** The phone's browser has shown a page: its title, and its place in the history. */
  shown({ url, title, method, status }) {
    if (!this.isOpen) return;
    this.title.textContent = title || (status >= 400 ? String(status) : "");
    if (!url) return;
    if (method === "GET" && this.history.at(-1) !== url) this.history.push(url);
    this.backButton.hidden = this.history.length < 2;
  }

  back() {
    this.history.pop();
    if (this.history.length) this.go(this.history.at(-1));
    else this.close();
  }

  close() {
    this.element.hidden = true;
    this.element.replaceChildren();
    this.frame = null;
    this.act.closed();
  }

  async more() {
    const url = this.history.at(-1) || this.asked;
    const choice = await this.act.sheet(url, [t("refresh"), t("copyLink"), t("close")]);
    if (choice === 0) this.go(url);
    if (choice === 1)
      navigator.clipboard.writeText(url).then(
        () => this.act.toast(t("copied")),
        () => this.act.toast(t("failed")),
      );
    if (choice === 2) this.close();
  }

  /** A call of the page's wx object; returns what the page is answered. */
  async call({ call, params = {}, page }) {
    if (call === "config")
      return (await post(`/phones/${this.phone.id}/jssdk`, { params, page })) || { errMsg: "config:fail" };
    if (call === "closeWindow") return (this.close(), { errMsg: "closeWindow:ok" });
    if (call === "getNetworkType") return { errMsg: "getNetworkType:ok", networkType: "wifi" };
    if (PAY[call]) {
      const { result, reason } = await this.act.pay(params, page);
      return { errMsg: `${PAY[call]}:${result}`, ...(reason ? { reason } : {}) };
    }
    if (call === "openSubscribe") return this.act.subscribe(params.templates);
    if (call !== "scanQRCode") return { errMsg: `${call}:ok` };
    const found = await this.act.scan();
    if (!found) return { errMsg: "scanQRCode:cancel" };
    if (!params.needResult) this.act.handle(found.result);
    return { errMsg: "scanQRCode:ok", ...(params.needResult ? { resultStr: found.result } : {}) };
  }

  /** Answer a message from the frame, if it came from this one. */
  async heard(event) {
    if (!this.frame || event.source !== this.frame.contentWindow || !event.data || event.data.wechat !== 1) return;
    const result = await this.call(event.data);
    if (this.frame && event.source === this.frame.contentWindow)
      event.source.postMessage({ wechat: 1, id: event.data.id, result }, event.origin);
  }
}

/** The address at which this phone shows one of the backend's pictures. */
export const pictureUrl = (phone, url) =>
  url.startsWith(state.backend + "/") ? phone.origin + url.slice(state.backend.length) : url;
