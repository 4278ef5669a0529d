/* WeChat Pay's sheet: what is asked for, a password, the seal of success. */

import { h, iconButton } from "./dom.js";
import { post } from "./live.js";
import { t } from "./text.js";

const DIGITS = 6,
  PAUSE = 90;
const yuan = (fen) => (fen / 100).toFixed(2);

/** Ask the person of `owner` (a phone) to pay: resolves to {result: ok|cancel|fail, reason?}. */
export async function cashier(owner, params, page) {
  const ask = (act) => post(`/phones/${owner.phone.id}/pay`, { params, page, act });
  const shown = await ask("show");
  if (shown?.result !== "ok") {
    const reason = shown?.reason || t("failed");
    await owner.sheet(`${t("cannotPay")}\n${reason}`, []);
    return { result: "fail", reason };
  }
  const agreed = await sheet(owner.screen, shown.order);
  const done = (await ask(agreed ? "pay" : "cancel")) || { result: "fail", reason: t("failed") };
  if (done.result === "ok") await success(owner.screen, shown.order);
  else if (done.result === "fail") await owner.sheet(`${t("cannotPay")}\n${done.reason}`, []);
  return done;
}

function sheet(screen, order) {
  return new Promise((resolve) => {
    const finish = (agreed) => {
      cover.remove();
      resolve(agreed);
    };
    const dots = h("div", { class: "password", "aria-hidden": "true" }, ...Array.from({ length: DIGITS }, () => h("i")));
    const pay = async () => {
      button.disabled = true;
      for (const dot of dots.children) {
        dot.classList.add("typed");
        await new Promise((next) => setTimeout(next, PAUSE));
      }
      finish(true);
    };
    const button = h("button", { type: "button", class: "go", "data-testid": "pay-confirm", onclick: pay }, t("payNow"));
    const cover = h(
      "div",
      { class: "backdrop cashier", role: "dialog", "aria-label": t("weChatPay"), "data-testid": "cashier" },
      h(
        "div",
        { class: "bill" },
        h("header", {}, iconButton("close", t("cancel"), () => finish(false), { "data-testid": "pay-cancel" })),
        h("p", { class: "payee" }, order.payee),
        h("p", { class: "sum", "data-testid": "pay-amount" }, h("small", {}, "¥"), yuan(order.total)),
        h(
          "dl",
          {},
          h("dt", {}, t("payFor")),
          h("dd", {}, order.description),
          h("dt", {}, t("payWith")),
          h("dd", {}, t("balance")),
        ),
        dots,
        button,
      ),
    );
    screen.append(cover);
    button.focus();
  });
}

function success(screen, order) {
  return new Promise((resolve) => {
    const finish = () => {
      cover.remove();
      resolve();
    };
    const done = h("button", { type: "button", class: "plain", "data-testid": "pay-done", onclick: finish }, t("done"));
    const cover = h(
      "div",
      { class: "view paid", role: "dialog", "aria-label": t("paid") },
      h("div", { class: "tick", "aria-hidden": "true" }, "✓"),
      h("h2", {}, t("paid")),
      h("p", { class: "sum" }, h("small", {}, "¥"), yuan(order.total)),
      h("p", { class: "payee" }, order.payee),
      done,
    );
    screen.append(cover);
    done.focus();
  });
}
