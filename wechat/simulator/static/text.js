/* What WeChat and the simulator themselves say, in the phones' language. */

const TEXTS = {
  zh: {
    simulator: "微信模拟器",
    people: "手机",
    moreDoctors: "更多医生",
    inspector: "请求记录",
    reset: "重置",
    verify: "验证服务器地址",
    resetAsk: "清空所有聊天、关注、会话和记录，回到最初？",
    wechat: "微信",
    follow: "关注服务号",
    message: "发消息",
    unfollow: "不再关注",
    unfollowAsk: "不再关注后，将不再收到其下发的消息，聊天记录也会从这台手机删除。",
    serviceAccount: "服务号",
    account: "微信号",
    receive: "接收消息",
    notFollowed: "未关注",
    simulated: "模拟器设置",
    snapshot: "以网页快照打开页面",
    undeliverable: "模板消息送达失败",
    details: "详情",
    send: "发送",
    picture: "图片",
    showMenu: "菜单",
    showKeyboard: "输入文字",
    more: "更多",
    back: "返回",
    close: "关闭",
    cancel: "取消",
    refresh: "刷新",
    copyLink: "复制链接",
    copied: "已复制",
    ok: "确定",
    scan: "扫一扫",
    scanHint: "将二维码放入框内，即可自动扫描",
    scanChoose: "选择要扫的二维码",
    album: "从相册选取",
    chooseImage: "选择图片",
    upload: "上传图片",
    noPictures: "演示二维码文件夹里还没有图片，请上传一张。",
    noCode: "未发现二维码",
    waiting: "正在处理…",
    scanned: "扫描结果",
    notHere: "模拟器的手机没有这个功能",
    snapshotBar: "当前为网页快照",
    fullService: "使用完整服务",
    loading: "正在打开…",
    yesterday: "昨天",
    imageIs: "[图片]",
    nothingYet: "还没有请求。",
    request: "请求",
    response: "响应",
    failed: "操作失败",
    offline: "模拟器没有运行，正在重新连接…",
    linkCard: "[链接]",
    fault: "该公众号提供的服务出现故障，请稍后再试",
  },
  en: {
    simulator: "WeChat simulator",
    people: "Phones",
    moreDoctors: "More doctors",
    inspector: "Requests",
    reset: "Reset",
    verify: "Verify server URL",
    resetAsk: "Forget every chat, follower, session and request, back to the beginning?",
    wechat: "WeChat",
    follow: "Follow",
    message: "Messages",
    unfollow: "Unfollow",
    unfollowAsk: "You will no longer receive its messages, and the chat is deleted from this phone.",
    serviceAccount: "Service account",
    account: "WeChat ID",
    receive: "Receive messages",
    notFollowed: "Not followed",
    simulated: "Simulator settings",
    snapshot: "Open pages as snapshots",
    undeliverable: "Template messages fail",
    details: "Details",
    send: "Send",
    picture: "Photo",
    showMenu: "Menu",
    showKeyboard: "Write",
    more: "More",
    back: "Back",
    close: "Close",
    cancel: "Cancel",
    refresh: "Refresh",
    copyLink: "Copy link",
    copied: "Copied",
    ok: "OK",
    scan: "Scan",
    scanHint: "Align the QR code within the frame to scan",
    scanChoose: "Choose a QR code to scan",
    album: "Choose from album",
    chooseImage: "Choose a picture",
    upload: "Upload a picture",
    noPictures: "There are no demo QR pictures yet: upload one.",
    noCode: "No QR code found",
    waiting: "Processing…",
    scanned: "Scanned",
    notHere: "The simulator's phones can't do this",
    snapshotBar: "This is a snapshot of the page",
    fullService: "Use full service",
    loading: "Opening…",
    yesterday: "Yesterday",
    imageIs: "[Photo]",
    nothingYet: "No requests yet.",
    request: "Request",
    response: "Response",
    failed: "That didn't work",
    offline: "The simulator is not running. Reconnecting…",
    linkCard: "[Link]",
    fault: "This account's service is out of order. Try again later.",
  },
};

let language = "zh";

/** Choose the language of everything shown from now on. */
export function setLanguage(value) {
  language = TEXTS[value] ? value : "zh";
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
}

/** The text for a name. */
export const t = (name) => TEXTS[language][name];

/** A person's name in the phones' language. */
export const nameOf = (phone) => (language === "zh" ? phone.name : phone.name_en || phone.name);

/* The phones are in China, wherever the browser is: these read China's time through the UTC getters. */
const DAY = 864e5;
const china = (moment) => new Date(new Date(moment).getTime() + 8 * 36e5);

/** The clock of a phone. */
export const clock = (moment) => china(moment).toISOString().slice(11, 16);

/** A chat's time as WeChat writes it: the clock today, then the day. */
export function when(iso) {
  const days = Math.floor(china(Date.now()) / DAY) - Math.floor(china(iso) / DAY);
  if (days <= 0) return clock(iso);
  if (days === 1) return `${t("yesterday")} ${clock(iso)}`;
  const day = days < 7 ? { weekday: "long" } : { month: "long", day: "numeric" };
  return `${china(iso).toLocaleDateString(language === "zh" ? "zh-CN" : "en", { ...day, timeZone: "UTC" })} ${clock(iso)}`;
}
