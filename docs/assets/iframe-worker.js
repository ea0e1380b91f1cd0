// Pages that are opened from a disk may not start workers, which the search is one of. There, and only there, an iframe
// does the work: it loads the same script, and messages go to and fro as they do with a worker.
"use strict";
if (location.protocol === "file:") {
  class FrameWorker extends EventTarget {
    constructor(url) {
      super();
      this.waiting = []; // what is said before the script listens
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.title = "search";
      document.body.append(frame);
      const inside = frame.contentWindow;
      inside.document.open();
      inside.document.write("<!doctype html><title>search</title><script>" +
        "function importScripts(...urls) { return urls.reduce((before, url) => before.then(() => new Promise((done, failed) => {" +
        "const script = document.createElement('script'); script.src = url; script.onload = done; script.onerror = failed;" +
        "document.head.append(script) })), Promise.resolve()) }" +
        "<\/script>");
      inside.document.close();
      inside.postMessage = (data) => this.tell(data);
      this.inside = inside;
      const script = inside.document.createElement("script");
      script.src = String(url);
      script.onload = () => {
        const waiting = this.waiting;
        this.waiting = null;
        waiting.forEach((data) => this.pass(data));
      };
      inside.document.head.append(script);
    }
    tell(data) {
      const event = new MessageEvent("message", { data });
      this.dispatchEvent(event);
      if (this.onmessage) this.onmessage(event);
    }
    pass(data) {
      this.inside.dispatchEvent(new this.inside.MessageEvent("message", { data }));
    }
    postMessage(data) {
      if (this.waiting) this.waiting.push(data);
      else this.pass(data);
    }
    terminate() {}
  }
  window.Worker = FrameWorker;
}
