// The view as the fragment of the address: `#view=story&at=3.2&pin=call-224`.

/** Writes the view into the address, without a new entry in the history. */
function writeAddress(view) {
  const words = new URLSearchParams();
  words.set("view", view.mode);
  words.set("from", (view.from / 1e6).toFixed(6));
  words.set("to", (view.to / 1e6).toFixed(6));
  words.set("at", (view.at / 1e6).toFixed(6));
  if (view.idle !== "fade") words.set("idle", view.idle);
  if (view.time !== "cut") words.set("time", view.time);
  if (view.query) words.set("search", view.query);
  for (const [kind, names] of Object.entries(view.hidden)) {
    if (names.size > 0) words.set(`no-${kind}`, [...names].map(encodeURIComponent).join(","));
  }
  if (view.pinned) words.set("pin", `${view.pinned.kind}-${numberOf(view.model, view.pinned)}`);
  try {
    history.replaceState(null, "", `#${words}`);
  } catch {
    // Some browsers allow only a number of changes in a time.
  }
}

/** Reads the view from the address. Returns false if the address does not name a window. */
function readAddress(view) {
  const words = new URLSearchParams(location.hash.slice(1));
  const number = (name) => {
    const value = Number.parseFloat(words.get(name));
    return Number.isFinite(value) ? value * 1e6 : null;
  };
  const one = (name, allowed, otherwise) =>
    allowed.includes(words.get(name)) ? words.get(name) : otherwise;
  view.mode = one("view", ["overview", "story"], view.mode);
  view.idle = one("idle", ["fade", "hide", "show"], view.idle);
  view.time = one("time", ["cut", "true"], view.time);
  view.query = words.get("search") ?? "";
  for (const kind of Object.keys(view.hidden)) {
    const names = (words.get(`no-${kind}`) ?? "").split(",").filter(Boolean);
    view.hidden[kind] = new Set(names.map(decode));
  }
  const [, kind, id] = /^([a-z]+)-(\d+)$/.exec(words.get("pin") ?? "") ?? [];
  const item = kind && itemOf(view.model, kind, Number(id));
  view.pinned = item ? { kind, item } : null;
  const [from, to, at] = ["from", "to", "at"].map(number);
  if (from === null || to === null) return false;
  view.showTimes(from, to);
  view.at = at ?? view.at;
  return true;
}

/** Decodes a name; an edited address may not be well-formed. */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
