// The box of filters: methods, topics, lanes, kinds of events; and the box of help.

const KINDS = ["messages", "log lines", "faults", "accidents", "stalls", "operations"];

function fillFilters(box, model, view, changed) {
  const groups = [
    ["Show", "kind", KINDS.map((name) => [name, null])],
    ["Methods", "method", [...model.methods]],
    ["Topics", "topic", [...model.topics]],
    ["Servers and clients", "lane", model.lanes.filter((it) => it.kind !== "test").map((it) => [it.name, null])],
  ];
  box.replaceChildren();
  for (const [title, kind, names] of groups) {
    if (names.length > 0) box.append(group(title, kind, names, view, changed));
  }
  const clients = model.lanes.filter((lane) => lane.kind === "client").length;
  if (clients > CLIENTS) {
    const split = element("input", { type: "checkbox" });
    split.checked = view.splitClients;
    split.addEventListener("change", () => {
      view.splitClients = split.checked;
      changed();
    });
    box.append(element("label", {}, split, " a lane for each client"));
  }
}

/** A set of checkboxes, and buttons for all and none. */
function group(title, kind, names, view, changed) {
  const set = view.hidden[kind];
  const boxes = [];
  const list = element("div", { class: "choices" });
  for (const [name, count] of names) {
    const box = element("input", { type: "checkbox" });
    box.checked = !set.has(name);
    box.addEventListener("change", () => {
      if (box.checked) set.delete(name);
      else set.add(name);
      changed();
    });
    boxes.push([name, box]);
    list.append(element("label", {}, box, ` ${name || "(none)"}`, count === null ? null : element("small", {}, ` ${count}`)));
  }
  const all = (shown) => () => {
    for (const [name, box] of boxes) {
      box.checked = shown;
      if (shown) set.delete(name);
      else set.add(name);
    }
    changed();
  };
  return element(
    "fieldset",
    {},
    element("legend", {}, title),
    list,
    element("button", { class: "link", onclick: all(true) }, "all"),
    " ",
    element("button", { class: "link", onclick: all(false) }, "none"),
  );
}

/** What the marks mean, and the keys. */
function fillHelp(box) {
  const marks = [
    ["thick band, LEADER", "the server leads; the hue is the term, `T3`"],
    ["dotted outline", "candidate"],
    ["dashed rim", "cut off from the network"],
    ["solid rim, side A or B", "on this side of a partition"],
    ["black band", "down"],
    ["solid arrow", "a request"],
    ["dashed arrow", "a reply"],
    ["faint arrow", "idle: neither side logged or saved anything because of it"],
    ["A1 in a box", "an accident, where the run was calm but for a few: `cargo lab shrink`"],
    ["zigzag", "a task of the server stalls"],
    ["red cross", "lost on its way"],
    ["pale cross on a stub", "the receiver was unreachable"],
    ["\u00d734", "a number of messages between two lanes in one stroke"],
    ["// 0.9 s", "time that was cut out, since nothing happened"],
  ];
  const keys = [
    ["f", "back to the failure"],
    ["a", "the whole run"],
    ["v", "overview or story"],
    ["\u2190 \u2192", "move"],
    ["+ \u2212", "zoom"],
    ["n p", "next, previous event; with shift: match of the search"],
    ["> <", "next, previous accident"],
    ["i", "idle messages: fade, hide, show"],
    ["/", "search"],
    ["Esc", "unpin, close"],
    ["?", "this help"],
  ];
  box.replaceChildren(
    element("h2", {}, "Marks"),
    facts(marks),
    element("h2", {}, "Keys"),
    facts(keys),
    element("p", {}, "Mouse: the wheel zooms, dragging moves, a click pins, the strip jumps."),
    element("p", {}, "The address holds the view, so that it can be bookmarked."),
  );
}
