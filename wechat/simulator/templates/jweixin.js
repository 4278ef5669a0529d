/* The simulator's stand-in for WeChat's JS-SDK: the page calls it, the phone around the page answers. */
(function () {
  "use strict";
  var agents = {{ agents | tojson }};
  var agent = agents[location.hostname.split(".")[0]];
  if (agent) Object.defineProperty(navigator, "userAgent", { get: function () { return agent; }, configurable: true });

  var waiting = {}, last = 0, state = "new", granted = [], onReady = [], onError = null, debug = false;

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
  window.wx = window.jWeixin = wx;
  window.WeixinJSBridge = {
    call: function (name) { if (name === "closeWindow") ask(name, {}, function () {}); },
    invoke: function (name, params, done) { ask(name, plain(params), function (r) { if (done) done({ err_msg: r.errMsg }); }); },
    on: function () {},
  };
  document.addEventListener("DOMContentLoaded", function () {
    document.dispatchEvent(new Event("WeixinJSBridgeReady"));
  });
})();
