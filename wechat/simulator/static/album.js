/* The scanner and the picture chooser: the demo pictures, or one of your own. */

import { h, iconButton } from "./dom.js";
import { get, post } from "./live.js";
import { t } from "./text.js";

const captions = async () => ((await get("/pictures")) || { pictures: [] }).pictures;

function choices(kind, pictures, picked) {
  const tiles = pictures.map((stem) =>
    h(
      "button",
      {
        type: "button",
        class: "tile",
        "data-testid": `${kind}-choice-${stem}`,
        onclick: () => picked({ picture: stem }),
      },
      h("img", { src: `/qr/${encodeURIComponent(stem)}`, alt: "", loading: "lazy" }),
      h("span", {}, stem),
    ),
  );
  const file = h("input", {
    type: "file",
    accept: "image/*",
    "data-testid": `${kind}-upload`,
    onchange: () => {
      if (!file.files.length) return;
      const form = new FormData();
      form.append("image", file.files[0]);
      file.value = "";
      picked(form);
    },
  });
  const upload = h("label", { class: "upload" }, file, kind === "scan" ? t("album") : t("upload"));
  return [tiles.length ? h("div", { class: "tiles" }, ...tiles) : h("p", { class: "empty" }, t("noPictures")), upload];
}

const accountCodes = async () => ((await get("/codes")) || { codes: [] }).codes;

/** The account's own fresh codes: what stands on a screen or a desk elsewhere. */
function codeTiles(codes, picked) {
  if (!codes.length) return [];
  const tiles = codes.map(({ ticket, url, scene }) =>
    h(
      "button",
      { type: "button", class: "tile", "data-testid": `scan-code-${scene}`, onclick: () => picked(url) },
      h("img", { src: `/cgi-bin/showqrcode?ticket=${encodeURIComponent(ticket)}`, alt: "" }),
      h("span", {}, scene),
    ),
  );
  return [h("h3", {}, t("accountCodes")), h("div", { class: "tiles" }, ...tiles)];
}

/** Let the person scan on `screen`: resolves to {type, result}, or null when they leave. */
export async function scan(screen, toast) {
  const [pictures, codes] = await Promise.all([captions(), accountCodes()]);
  return new Promise((resolve) => {
    const finish = (found) => {
      sheet.remove();
      resolve(found);
    };
    const picked = async (picture) => {
      const found = await post("/scan", picture);
      if (found && found.result !== null) finish(found);
      else toast(t("noCode"));
    };
    const camera = h(
      "div",
      { class: "camera" },
      h("div", { class: "finder", "aria-hidden": "true" }),
      h("p", {}, t("scanHint")),
    );
    const sheet = h(
      "div",
      { class: "scanner", role: "dialog", "aria-label": t("scan"), "data-testid": "scanner" },
      h(
        "header",
        {},
        iconButton("close", t("close"), () => finish(null), { "data-testid": "scan-cancel" }),
        h("h2", {}, t("scan")),
      ),
      camera,
      h(
        "div",
        { class: "tray" },
        ...codeTiles(codes, (result) => finish({ type: "qrcode", result })),
        h("h3", {}, t("scanChoose")),
        ...choices("scan", pictures, picked),
      ),
    );
    screen.append(sheet);
  });
}

/** Let the person choose a picture to send: resolves to what the control API takes, or null. */
export async function chooseImage(screen) {
  const pictures = await captions();
  return new Promise((resolve) => {
    const finish = (picture) => {
      sheet.remove();
      resolve(picture);
    };
    const tray = h(
      "div",
      { class: "tray" },
      h(
        "h3",
        {},
        t("chooseImage"),
        iconButton("close", t("close"), () => finish(null)),
      ),
      ...choices("image", pictures, finish),
    );
    const sheet = h(
      "div",
      {
        class: "backdrop",
        role: "dialog",
        "aria-label": t("chooseImage"),
        onclick: (event) => event.target === sheet && finish(null),
      },
      tray,
    );
    screen.append(sheet);
  });
}
