// The header, the toolbar and the line of status.

/** What a run ended with that neither passed nor failed. */
const UNDECIDED = {
  unknown: "Unknown: a checker has reached its limit",
  none: "The recording ends before the run does",
};

function fillHeader(model) {
  const { run, end, violation } = model;
  const test = run.test ?? "a test";
  const which = run.seed === undefined ? "" : `, seed ${run.seed}${run.policy ? `:${run.policy}` : ""}`;
  document.title = `${test} ${run.seed ?? ""} ${end.result ?? ""}`.trim();
  byId("title").textContent = `${test}${which}`;
  const verdict = byId("verdict");
  const isFailed = violation !== null || end.result === "failed";
  verdict.className = isFailed ? "bad" : end.result === "passed" ? "good" : "";
  if (violation) verdict.textContent = `Failed at ${seconds(violation.at, 1e3)}: ${headline(violation.actual)}`;
  else if (isFailed) verdict.textContent = `Failed: ${(end.report ?? "").split("\n")[0]}`;
  else if (end.result !== "passed") verdict.textContent = UNDECIDED[end.result] ?? UNDECIDED.none;
  else verdict.textContent = `Passed, ${seconds(model.duration, 1e3)} of virtual time`;
  const property = violation?.property;
  if (property && property !== violation?.actual) {
    verdict.append(element("span", { class: "property" }, `property: ${property}`));
  }
  if (run.only !== undefined) {
    const count = model.accidents.length;
    const some = count === 0 ? "without any accident" : `with ${count} accident${count === 1 ? "" : "s"}`;
    const all = run.only === "all" ? some : `${some}, everything else was calm`;
    verdict.append(element("span", { class: "property" }, all));
  }
  if (end.report) {
    byId("report").textContent = end.report;
    byId("report-box").hidden = false;
  }
  const leftOut = Object.entries(end.left_out ?? {});
  if (leftOut.length > 0) {
    byId("left-out").hidden = false;
    const list = byId("left-out").querySelector("ul");
    for (const [what, count] of leftOut) list.append(element("li", {}, `${what}: ${count}`));
    // Elsewhere a message may be missing; here at most repetitions are.
    for (const [from, to] of end.whole ?? []) {
      list.append(element("li", {}, `complete from ${seconds(from, 1e3)} to ${seconds(to, 1e3)}`));
    }
  }
}

/** Makes the tools show the view. */
function showTools(page) {
  const { view, model } = page;
  for (const radio of document.querySelectorAll("input[name=mode]")) radio.checked = radio.value === view.mode;
  byId("idle").value = view.idle;
  byId("time").value = view.time;
  byId("time-label").hidden = page.isStory;
  if (byId("search") !== document.activeElement) byId("search").value = view.query;
  byId("with-messages").checked = view.withMessages;
  byId("to-failure").hidden = model.violation === null;
  byId("to-accident").hidden = model.accidents.length === 0;
  const count = Object.values(view.hidden).reduce((sum, names) => sum + names.size, 0);
  byId("filters").querySelector("summary").textContent = count > 0 ? `Filter (${count} hidden)` : "Filter";
  byId("matches").textContent = page.search.isOn ? `${page.search.matches.length} found` : "";
}

/** One line about what is in view. */
function showStatus(page, from, to) {
  const { model } = page;
  const inside = (items, time) => {
    const first = firstWhere(items.length, (i) => time(items[i]) >= from);
    return firstWhere(items.length, (i) => time(items[i]) > to) - first;
  };
  const calls = inside(model.calls, (call) => call.sent);
  const logs = inside(model.logs, (log) => log.at);
  const isHiding = page.view.idle === "hide" || (page.isStory && page.view.idle === "fade");
  const visible = Math.max(0, Math.min(to, model.duration) - Math.max(0, from));
  const idle = isHiding ? "; idle messages are hidden" : "";
  const partial = isWhole(model, from, to) ? "" : "; some of what happened here is left out";
  const counts = `${calls} of ${model.calls.length} calls, ${logs} of ${model.logs.length} log lines`;
  byId("status").textContent = `${duration(visible)} in view, ${counts}${idle}${partial}`;
}

/** Whether the recording has every message and log line of a time, but for repetitions. */
function isWhole({ end, duration }, from, to) {
  const [first, last] = [Math.max(0, from), Math.min(to, duration)];
  return !end.whole || end.whole.some((stretch) => stretch[0] <= first && last <= stretch[1]);
}

function listenToTools(page) {
  const { view } = page;
  const changed = () => page.changed();
  const setQuery = (query) => {
    view.query = query;
    page.search.run(query);
    page.changed();
  };
  for (const radio of document.querySelectorAll("input[name=mode]")) {
    radio.addEventListener("change", () => page.setMode(radio.value));
  }
  byId("to-accident").addEventListener("click", () => page.toAccident(1));
  byId("to-failure").addEventListener("click", () => page.showFailure());
  byId("to-all").addEventListener("click", () => page.showAll());
  byId("idle").addEventListener("change", (event) => {
    view.idle = event.target.value;
    changed();
  });
  byId("time").addEventListener("change", (event) => {
    view.setTime(event.target.value);
    changed();
  });
  let timer = 0;
  byId("search").addEventListener("input", (event) => {
    clearTimeout(timer);
    timer = setTimeout(() => setQuery(event.target.value), 150);
  });
  byId("search").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    setQuery(event.target.value);
    page.toMatch(event.shiftKey ? -1 : 1);
  });
  byId("search-on").addEventListener("click", () => page.toMatch(1));
  byId("search-back").addEventListener("click", () => page.toMatch(-1));
  byId("with-messages").addEventListener("change", (event) => {
    view.withMessages = event.target.checked;
    changed();
    page.list.follow(page.window().from, null);
  });
  byId("filters").addEventListener("toggle", () => {
    if (byId("filters").open) fillFilters(byId("filter-box"), page.model, view, changed);
  });
  new ResizeObserver(changed).observe(byId("scroller"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    page.ink.read();
    changed();
  });
  addEventListener("hashchange", () => {
    readAddress(view);
    page.search.run(view.query);
    changed();
  });
  document.addEventListener("click", (event) => {
    for (const id of ["filters", "help"]) {
      if (byId(id).open && !byId(id).contains(event.target)) byId(id).open = false;
    }
  });
}
