// Drives Chromium through chromedriver, with nothing but Node: the protocol is HTTP and JSON.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--disable-dev-shm-usage",
];

export class Browser {
  /** Starts a browser whose window has this size. */
  static async start({ driver, binary, width = 1400, height = 850 }) {
    const browser = new Browser();
    browser.profile = mkdtempSync(join(tmpdir(), "check-page-"));
    browser.process = spawn(driver, ["--port=0"], { stdio: ["ignore", "pipe", "ignore"] });
    browser.url = `http://127.0.0.1:${await portOf(browser.process)}`;
    const args = [...FLAGS, `--window-size=${width},${height}`, `--user-data-dir=${browser.profile}`];
    const capabilities = {
      browserName: "chrome",
      "goog:chromeOptions": { binary, args },
      "goog:loggingPrefs": { browser: "ALL" },
    };
    try {
      const { sessionId } = await browser.send("POST", "/session", { capabilities: { alwaysMatch: capabilities } });
      browser.session = `/session/${sessionId}`;
    } catch (error) {
      await browser.stop();
      throw error;
    }
    return browser;
  }

  async send(method, path, body) {
    const options = { method, headers: { "content-type": "application/json" } };
    if (body) options.body = JSON.stringify(body);
    const { value } = await (await fetch(this.url + path, options)).json();
    if (value?.error) throw new Error(`${value.error}: ${value.message}`);
    return value;
  }

  post(path, body = {}) {
    return this.send("POST", this.session + path, body);
  }

  /** Opens a page anew, even if only the fragment of its address differs. */
  async open(url) {
    await this.post("/url", { url: "about:blank" });
    await this.post("/url", { url });
  }

  /** The value of the body of an asynchronous function, in the page. */
  run(body, ...args) {
    const script = `const done = arguments[arguments.length - 1]; const args = [...arguments].slice(0, -1);
      (async () => { ${body} })().then((value) => done({ value }), (error) => done({ error: String(error.stack) }));`;
    return this.post("/execute/async", { script, args }).then(({ value, error }) => {
      if (error) throw new Error(error);
      return value;
    });
  }

  /** Waits until an expression holds in the page. */
  async until(expression, seconds = 20) {
    for (const end = Date.now() + seconds * 1000; Date.now() < end; ) {
      if (await this.run(`return Boolean(${expression})`)) return;
      await new Promise((wake) => setTimeout(wake, 30));
    }
    throw new Error(`still false after ${seconds} s: ${expression}`);
  }

  /** Clicks at a point of the window. */
  click(x, y) {
    const at = (type, more) => ({ type, ...more });
    const actions = [at("pointerMove", { x: Math.round(x), y: Math.round(y) }), at("pointerDown", { button: 0 }), at("pointerUp", { button: 0 })];
    return this.post("/actions", { actions: [{ type: "pointer", id: "mouse", actions }] });
  }

  /** Presses a key. */
  press(value) {
    const actions = [{ type: "keyDown", value }, { type: "keyUp", value }];
    return this.post("/actions", { actions: [{ type: "key", id: "keys", actions }] });
  }

  /** A command of the browser's own protocol. */
  devtools(cmd, params) {
    return this.post("/goog/cdp/execute", { cmd, params });
  }

  /** What the console has shown since the last call. */
  console() {
    return this.post("/se/log", { type: "browser" });
  }

  async screenshot(file) {
    writeFileSync(file, Buffer.from(await this.send("GET", `${this.session}/screenshot`), "base64"));
  }

  async stop() {
    if (this.session) await this.send("DELETE", this.session).catch(() => {});
    this.process.kill();
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The port that chromedriver has chosen. */
function portOf(process) {
  return new Promise((resolve, reject) => {
    let text = "";
    process.stdout.on("data", (bytes) => {
      text += bytes;
      const [, port] = /successfully on port (\d+)/.exec(text) ?? [];
      if (port) resolve(port);
    });
    process.on("error", reject);
    process.on("exit", () => reject(new Error(`chromedriver has ended: ${text}`)));
  });
}
