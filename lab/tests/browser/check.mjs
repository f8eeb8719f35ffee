// Checks pages in a real browser: `node check.mjs DRIVER BROWSER SCREENSHOTS PAGE...`.
// The speed of pages with many events is measured, and printed beside the target. It decides nothing: a
// busy machine is not a fault of the page. In the texts of `synthetic.html` there is HTML.

import assert from "node:assert/strict";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { Browser } from "./driver.mjs";

const [driver, binary, screenshots, ...pages] = process.argv.slice(2);

/** Pages with more events than this are measured. */
const MANY = 50_000;
/** The targets: milliseconds. */
const FIRST_PICTURE = 1000;
const FRAME = 50;

async function open(browser, file, fragment = "") {
  await browser.open(pathToFileURL(resolve(file)).href + fragment);
  await browser.until("globalThis.page?.firstDrawn");
}

/** What every page must do. */
async function checkPage(browser, file) {
  await open(browser, file);
  const opened = await browser.run(`
    const { from, to } = page.window();
    const box = document.getElementById("picture").getBoundingClientRect();
    return { from, to, moment: page.model.moment, failed: page.model.violation !== null, wide: box.width, high: box.height,
      targets: page.overview.targets.length, title: document.title, rows: page.list.rows.length };`);
  assert.ok(opened.targets > 0, "something is drawn");
  assert.ok(opened.wide > 600 && opened.high > 400, "the picture has room");
  assert.ok(opened.rows > 0, "the list has events");
  if (opened.failed) assert.ok(opened.from <= opened.moment && opened.moment <= opened.to, "it opens at the mistake");
  await checkFilters(browser);
  await checkPin(browser);
  await checkStory(browser, opened);
  await checkAddress(browser, file);
  if (await browser.run("return page.model.accidents.length > 0")) await checkAccidents(browser, file);
  const problems = (await browser.console()).filter((entry) => entry.level !== "DEBUG" && entry.level !== "INFO");
  assert.deepEqual(problems, [], "the console is empty");
  await open(browser, file);
  await browser.screenshot(join(screenshots, `${basename(file, ".html")}-overview.png`));
  await browser.press("v");
  await browser.until("page.isStory");
  await browser.run("await new Promise(requestAnimationFrame); await new Promise(requestAnimationFrame);");
  await browser.screenshot(join(screenshots, `${basename(file, ".html")}-story.png`));
}

/** A method that is switched off disappears from the picture. */
async function checkFilters(browser) {
  const counts = await browser.run(`
    page.showAll();
    const count = () => { page.draw(); return page.overview.targets.filter((it) => it.kind === "call").length; };
    const before = count();
    document.querySelector("#filters summary").click();
    await new Promise((wake) => setTimeout(wake, 50));
    const boxes = [...document.querySelectorAll("#filter-box fieldset")].find((it) => it.textContent.startsWith("Methods")).querySelectorAll("input");
    boxes.forEach((box) => box.click());
    const without = count();
    boxes.forEach((box) => box.click());
    document.querySelector("#filters summary").click();
    return [before, without, count()];`);
  assert.ok(counts[0] > 0 && counts[1] === 0 && counts[2] === counts[0], `filters of methods: ${counts}`);
}

/** A click on a message shows it whole. */
async function checkPin(browser) {
  const target = await browser.run(`
    page.view.pinned = null;
    const call = page.model.calls.find((it) => it.weight === EFFECTIVE && it.answered !== null) ?? page.model.calls.find((it) => it.answered !== null);
    page.view.showTimes(call.sent - 500, call.answered + 500);
    page.changed(); page.draw();
    const it = page.overview.targets.find((it) => it.item === call);
    for (let part = 0.1; part < 1; part += 0.05) {
      const [x, y] = [it.x1 + (it.x2 - it.x1) * part, it.y1 + (it.y2 - it.y1) * part];
      if (page.overview.hit(x, y)?.item !== call) continue;
      document.getElementById("scroller").scrollTop = y - 200;
      const box = document.getElementById("picture").getBoundingClientRect();
      return { x: box.x + x, y: box.y + y, id: call.id };
    }
    return null;`);
  assert.ok(target, "a message can be hit");
  await browser.click(target.x, target.y);
  const details = await browser.run(`
    await new Promise(requestAnimationFrame);
    return { text: document.getElementById("details-box").textContent, pinned: page.view.pinned?.item.id };`);
  assert.equal(details.pinned, target.id);
  assert.match(details.text, new RegExp(`#${target.id} .*pinned.*Arguments`, "s"));
}

/** The story shows the same moment, and keys step through the events. */
async function checkStory(browser, { failed }) {
  await browser.press(failed ? "f" : "a");
  await browser.press("v");
  const story = await browser.run(`
    await new Promise(requestAnimationFrame); await new Promise(requestAnimationFrame);
    const { from, to } = page.window();
    return { from, to, moment: page.model.moment, targets: page.story.targets.length, isStory: page.isStory };`);
  assert.ok(story.isStory && story.targets > 0, "the story is drawn");
  if (failed) assert.ok(story.from <= story.moment && story.moment <= story.to, "the story opens at the mistake");
  await browser.press("n");
  const pinned = await browser.run("return page.view.pinned?.kind");
  assert.ok(pinned, "n steps to an event");
  await browser.press("v");
}

/** Accidents are marked, and a button and keys step through them. */
async function checkAccidents(browser, file) {
  await open(browser, file);
  const marked = await browser.run(`
    page.showAll(); page.draw();
    return [page.model.accidents.length, page.overview.targets.filter((it) => it.kind === "accident").length];`);
  assert.equal(marked[0], marked[1], "every accident is marked");
  await browser.press(">");
  await browser.run(`document.getElementById("to-accident").click()`);
  const second = await browser.run(`
    await new Promise(requestAnimationFrame);
    return [page.view.pinned.item.number, document.getElementById("details-box").textContent, page.list.rows.filter((it) => it.kind === "accident").length];`);
  assert.equal(second[0], Math.min(2, marked[0]));
  assert.match(second[1], /^Accident \d+ of \d+/);
  assert.equal(second[2], marked[0], "the list has every accident");
  const twice = await browser.run(`
    const accidents = page.list.rows.filter((it) => it.kind === "accident" && it.item.what === "stall");
    return page.list.rows.filter((it) => it.item.verb === "stall" && accidents.some((other) => other.at === it.at)).length;`);
  assert.equal(twice, 0, "the list has a stall that is an accident once");
  await browser.screenshot(join(screenshots, `${basename(file, ".html")}-accident.png`));
}

/** The address leads back to the same view. */
async function checkAddress(browser, file) {
  await browser.run(`page.view.idle = "hide"; page.changed();`);
  await browser.until(`location.hash.includes("idle=hide")`);
  const before = await browser.run(`
    return { hash: location.hash, from: page.view.from, to: page.view.to, pinned: page.view.pinned?.kind };`);
  await open(browser, file, before.hash);
  const after = await browser.run("return { from: page.view.from, to: page.view.to, idle: page.view.idle, pinned: page.view.pinned?.kind }");
  assert.equal(after.idle, "hide");
  assert.equal(after.pinned, before.pinned);
  assert.ok(Math.abs(after.from - before.from) < 50 && Math.abs(after.to - before.to) < 50, "the window is the same");
}

/** Text of recorded code stays text; nothing is wider than the window at 200 %; dark is dark. */
async function checkForms(browser, file) {
  await open(browser, file);
  const evil = await browser.run(`return [document.querySelectorAll("img").length, document.scripts.length, document.body.textContent.includes("<img src=x")]`);
  assert.deepEqual(evil, [0, 2, true]);
  const blocked = await browser.run(`try { await fetch("http://127.0.0.1:9/"); return false; } catch { return true; }`);
  assert.ok(blocked, "the page cannot use the network");
  await browser.console();
  await browser.devtools("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: "dark" }] });
  const paper = await browser.run(`await new Promise((wake) => setTimeout(wake, 100)); return page.ink.paper`);
  assert.notEqual(paper, "#ffffff");
  await browser.screenshot(join(screenshots, "dark.png"));
  await browser.devtools("Emulation.setEmulatedMedia", { features: [] });
  await browser.devtools("Emulation.setDeviceMetricsOverride", { width: 640, height: 400, deviceScaleFactor: 2, mobile: false });
  const wide = await browser.run(`await new Promise((wake) => setTimeout(wake, 100)); return document.documentElement.scrollWidth - innerWidth`);
  assert.ok(wide <= 0, "at 200 % nothing is wider than the window");
  await browser.screenshot(join(screenshots, "zoomed.png"));
  await browser.devtools("Emulation.clearDeviceMetricsOverride", {});
}

/** The processor time that the page's main thread has used, in milliseconds: it reads and draws
 * everything. On a busy machine, the time of a clock would be that of other programs too. */
async function processorTime(browser) {
  const { metrics } = await browser.devtools("Performance.getMetrics", {});
  return 1000 * metrics.find(({ name }) => name === "ThreadTime").value;
}

/** Milliseconds until the first picture, and for the frames while the picture is moved. */
async function measure(browser, file) {
  await browser.devtools("Performance.enable", { timeDomain: "threadTicks" });
  const firsts = [];
  const clocks = [];
  for (let i = 0; i < 3; i++) {
    await browser.post("/url", { url: "about:blank" });
    const begin = await processorTime(browser);
    await open(browser, file);
    firsts.push((await processorTime(browser)) - begin);
    clocks.push(await browser.run("return page.firstDrawn"));
  }
  const size = await browser.run("return page.model.eventCount");
  const [first, clock] = [firsts, clocks].map((times) => Math.round(Math.min(...times)));
  console.log(`${size} events: first picture after ${first} ms of processor time, ${clock} ms by the clock (target ${FIRST_PICTURE})`);
  const views = [
    ["at the failure", "page.showFailure()"],
    ["a tenth of the run", "page.showAll(); page.view.zoom(0.1)"],
    ["the whole run", "page.showAll()"],
    ["the story", "page.showFailure(); page.setMode('story')"],
  ];
  for (const [name, setup] of views) {
    await browser.run(`${setup}; page.changed(); for (let i = 0; i < 10; i++) await new Promise(requestAnimationFrame);`);
    const frames = [];
    for (let i = 0; i < 40; i++) {
      const begin = await processorTime(browser);
      await browser.run(`
        if (page.isStory) document.getElementById("scroller").scrollTop -= 40;
        else page.view.pan(${i % 20 < 10 ? 0.01 : -0.01});
        page.moved();
        await new Promise(requestAnimationFrame);
        await new Promise(requestAnimationFrame);`);
      frames.push((await processorTime(browser)) - begin);
    }
    frames.sort((a, b) => a - b);
    console.log(`  moving ${name}: ${frames[20].toFixed(0)} ms of processor time per frame, at most ${frames[39].toFixed(0)} ms (target ${FRAME})`);
  }
}

const browser = await Browser.start({ driver, binary });
try {
  for (const file of pages) {
    await checkPage(browser, file);
    console.log(`ok ${basename(file)}`);
    if (basename(file) === "synthetic.html") await checkForms(browser, file);
    if (await browser.run(`return page.model.eventCount > ${MANY}`)) await measure(browser, file);
  }
} finally {
  await browser.stop();
}
