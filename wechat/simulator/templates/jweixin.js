/* The simulator's stand-in for WeChat's JS-SDK: the page calls it, the phone around the page answers. */
(function () {
  "use strict";
  var agents = {{ agents | tojson }};
  var agent = agents[location.hostname.split(".")[0]];
  if (agent) Object.defineProperty(navigator, "userAgent", { get: function () { return agent; }, configurable: true });

  var waiting = {}, last = 0, state = "new", granted = [], tags = [], onReady = [], onError = null, debug = false;

  function ask(call, params, done) {
    if (window.parent === window) return done({ errMsg: call + ":fail, open this page in a phone of the simulator" });
    waiting[++last] = done;
    window.parent.postMessage({ wechat: 1, call: call, id: last, params: params, page: location.href }, "*");
  }
  window.addEventListener("message", function (event) {
    var data = event.data;
    if (event.source !== window.parent || !data || data.wechat !== 1 || !waiting[data.id]) return;
    var done = waiting[data.id];
    delete waiting[data.id];
    done(data.result);
  });

  function finish(options, result) {
    var kind = (result.errMsg.split(":")[1] || "fail").split(",")[0];
    if (debug) console.log("wx", result);
    if (kind === "ok" && options.success) options.success(result);
    else if (kind === "cancel" && options.cancel) options.cancel(result);
    else if (kind !== "ok" && kind !== "cancel" && options.fail) options.fail(result);
    if (options.complete) options.complete(result);
  }
  function plain(value) {
    return JSON.parse(JSON.stringify(value || {}));
  }
  function api(name) {
    return function (options) {
      options = options || {};
      if (name !== "closeWindow" && granted.indexOf(name) < 0)
        return finish(options, { errMsg: name + ":the permission value is offline verifying" });
      ask(name, plain(options), function (result) { finish(options, result); });
    };
  }

  var wx = {
    config: function (options) {
      debug = !!options.debug;
      ask("config", plain(options), function (result) {
        granted = result.apis || [];
        tags = result.tags || [];
        state = result.errMsg === "config:ok" ? "ready" : "failed";
        if (debug) console.log("wx", result);
        if (state === "failed") return onError && onError({ errMsg: result.errMsg });
        onReady.splice(0).forEach(function (ready) { ready(); });
      });
    },
    ready: function (ready) {
      if (state === "ready") ready();
      else onReady.push(ready);
    },
    error: function (failed) { onError = failed; },
    checkJsApi: function (options) {
      var result = {};
      (options.jsApiList || []).forEach(function (name) { result[name] = granted.indexOf(name) >= 0; });
      finish(options, { errMsg: "checkJsApi:ok", checkResult: result });
    },
  };
  {{ apis | tojson }}.forEach(function (name) { if (!wx[name]) wx[name] = api(name); });
  /* <wx-open-subscribe template="id,id">: its <script type="text/wxtag-template"> (or <template>) is the button, one
     with slot="style" its style. */
  function tell(element, kind, detail) { element.dispatchEvent(new CustomEvent(kind, { detail: detail })); }
  if (!customElements.get("wx-open-subscribe")) customElements.define("wx-open-subscribe", class extends HTMLElement {
    connectedCallback() {
      var self = this;
      setTimeout(function () { self.show(); });
    }
    show() {
      var parts = this.querySelectorAll("script[type='text/wxtag-template'], template"), self = this;
      if (this.shadowRoot) return;
      this.attachShadow({ mode: "open" }).innerHTML = [].map.call(parts, function (part) { return part.innerHTML; }).join("");
      this.addEventListener("click", function () {
        if (tags.indexOf("wx-open-subscribe") < 0)
          return tell(self, "error", { errMsg: "subscribe:fail, not in openTagList", errCode: "10001" });
        var wanted = (self.getAttribute("template") || "").split(",").map(function (id) { return id.trim(); });
        wanted = wanted.filter(Boolean);
        if (!wanted.length) return tell(self, "error", { errMsg: "subscribe:fail, no template", errCode: "10001" });
        ask("openSubscribe", { templates: wanted }, function (result) {
          if (result.errMsg !== "subscribe:ok")
            return tell(self, "error", { errMsg: result.errMsg, errCode: result.errCode || "20001" });
          var details = {};  /* JSON within JSON, as WeChat tells it */
          wanted.forEach(function (id) { details[id] = JSON.stringify({ status: result.choice }); });
          tell(self, "success", { errMsg: result.errMsg, subscribeDetails: JSON.stringify(details) });
        });
      });
      tell(self, "ready", {});
    }
  });
  window.wx = window.jWeixin = wx;
  window.WeixinJSBridge = {
    call: function (name) { if (name === "closeWindow") ask(name, {}, function () {}); },
    invoke: function (name, params, done) {
      ask(name, plain(params), function (r) { if (done) done({ err_msg: r.errMsg, err_desc: r.reason || "" }); });
    },
    on: function () {},
  };
  document.addEventListener("DOMContentLoaded", function () {
    document.dispatchEvent(new Event("WeixinJSBridgeReady"));
  });
})();
