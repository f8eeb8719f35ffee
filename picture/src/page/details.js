// The panel that shows what is hovered or pinned as a whole.

class Details {
  constructor(box, model, choose) {
    Object.assign(this, { box, model, choose });
    this.shown = undefined;
  }

  /** Shows an item, or a hint if nothing is selected. */
  show(selected, isPinned) {
    const item = selected?.item ?? null;
    if (item === this.shown && isPinned === this.isPinned) return;
    this.shown = item;
    this.isPinned = isPinned;
    this.box.replaceChildren(...(selected ? this.contents(selected, isPinned) : this.hint()));
    this.box.scrollTop = 0;
  }

  hint() {
    const text = "Point at a message, a log line or a bar to see it whole; click to pin it. Press ? for the keys.";
    return [element("p", { class: "muted" }, text)];
  }

  contents({ kind, item }, isPinned) {
    const pin = isPinned ? element("span", { class: "pin" }, "pinned") : null;
    const body = this[`of_${kind}`](item);
    if (pin) body[0].append(" ", pin);
    return body;
  }

  of_call(call) {
    const { model } = this;
    const [from, to] = [model.laneName(call.from), model.laneName(call.to)];
    const rows = [["sent", seconds(call.sent, 1)]];
    const since = (at, start) => `${seconds(at, 1)}  +${duration(at - start)}`;
    if (call.arrived !== null) rows.push(["arrived", since(call.arrived, call.sent)]);
    if (call.returned !== null) rows.push(["returned", since(call.returned, call.arrived)]);
    if (call.answered !== null) rows.push(["reply got", since(call.answered, call.returned ?? call.sent)]);
    if (call.lost !== null) rows.push(["lost", `${since(call.lostAt, call.sent)}: ${lossText(call)}`]);
    if (call.held > 0) rows.push(["held back", duration(call.held)]);
    if (call.answered === null && call.lost === null) rows.push(["", "under way when the recording ended"]);
    rows.push(["effect", ["none seen", "none seen", `${call.logs.length > 0 ? "logged" : "saved"} something`][call.weight]]);
    const parts = [
      element("h3", {}, `#${call.id} ${call.method} ${from} \u2192 ${to}`),
      facts(rows),
      element("h4", {}, `Arguments${call.bytes === undefined ? "" : `, ${call.bytes} bytes`}`),
      element("pre", { tabindex: "0" }, unfolded(call.args) || "none recorded"),
    ];
    if (call.reply !== null) {
      const size = call.replyBytes === undefined ? "" : `, ${call.replyBytes} bytes`;
      parts.push(element("h4", {}, `Reply${size}`), element("pre", { tabindex: "0" }, unfolded(call.reply)));
    }
    if (call.logs.length > 0) parts.push(element("h4", {}, "It made servers log"), this.links("log", call.logs));
    return parts;
  }

  of_log(log) {
    const parts = [
      element("h3", {}, `${log.topic} ${this.model.laneName(log.lane)}`),
      facts([["at", seconds(log.at, 1)]]),
      element("pre", { tabindex: "0" }, log.text),
    ];
    if (log.call) parts.push(element("h4", {}, "Written because of"), this.links("call", [log.call]));
    return parts;
  }

  of_fault(fault) {
    const names = fault.lanes.map((lane) => this.model.laneName(lane)).join(", ");
    const rows = [["at", seconds(fault.at, 1)], ["kind", fault.verb]];
    if (names) rows.push(["servers", names]);
    if (fault.micros !== undefined) rows.push(["lasts", duration(fault.micros)]);
    fault.sides?.forEach((side, i) => rows.push([`side ${"ABCDEFGH"[i] ?? i}`, side.join(", ")]));
    const title = element("h3", {}, FAULT_TITLES[fault.verb] ?? "Fault");
    return [title, facts(rows), element("pre", { tabindex: "0" }, fault.text)];
  }

  of_accident(accident) {
    const { accidents } = this.model;
    const rows = [["at", seconds(accident.at, 1)], ["kind", accident.what.replace("-", " ")], ["id", accident.id]];
    const title = `Accident ${accident.number} of ${accidents.length}`;
    const parts = [element("h3", {}, title), facts(rows), element("pre", { tabindex: "0" }, accident.text)];
    if (accident.call) parts.push(element("h4", {}, "It happens to"), this.links("call", [accident.call]));
    const others = accidents.filter((it) => it !== accident);
    if (others.length > 0) parts.push(element("h4", {}, "All others"), this.links("accident", others));
    return parts;
  }

  of_operation(operation) {
    const isDone = operation.to !== Infinity;
    const rows = [["client", operation.client], ["begins", seconds(operation.from, 1)]];
    const took = duration(operation.to - operation.from);
    rows.push(["ends", isDone ? `${seconds(operation.to, 1)}  +${took}` : "never"]);
    const parts = [element("h3", {}, `Operation ${operation.id}`), facts(rows), element("pre", { tabindex: "0" }, operationText(operation))];
    if (this.model.violation?.culprit?.operations?.includes(operation.id)) {
      parts.push(element("p", { class: "bad" }, "This operation is part of the smallest history that is not linearizable."));
    }
    return parts;
  }

  of_violation(violation) {
    const rows = [["property", violation.property], ["seen at", seconds(violation.at, 1)]];
    const culprit = violation.culprit ?? {};
    if (culprit.server !== undefined) rows.push(["server", culprit.server]);
    if (culprit.at !== undefined) rows.push(["mistake at", seconds(culprit.at, 1)]);
    if (culprit.index !== undefined) rows.push(["index", String(culprit.index)]);
    if (culprit.shard !== undefined) rows.push(["shard", String(culprit.shard)]);
    if (culprit.others?.length > 0) rows.push(["at odds with", culprit.others.join(", ")]);
    if (culprit.term !== undefined) rows.push(["term", String(culprit.term)]);
    const parts = [element("h3", { class: "bad" }, "Failure"), facts(rows)];
    parts.push(element("h4", {}, "Observed"), element("pre", { class: "observed", tabindex: "0" }, violation.actual));
    if (this.model.illegal) {
      const { operations } = this.model.illegal;
      parts.push(element("h4", {}, "Operations that no order explains"), this.links("operation", operations));
    }
    return parts;
  }

  /** Buttons that lead to other items. */
  links(kind, items) {
    const list = element("ul", { class: "links" });
    for (const item of items.slice(0, 50)) {
      const go = () => this.choose({ kind, item });
      list.append(element("li", {}, element("button", { class: "link", onclick: go }, summary(this.model, kind, item))));
    }
    return list;
  }
}

/** Titles of faults that break nothing at once. */
const FAULT_TITLES = {
  note: "Note of the test",
  network: "Network",
  stall: "Stall",
  start: "Start",
  connect: "Connection",
  mend: "Link mended",
  heal: "Links mended",
  reach: "Reach of a client",
  "reach all": "Reach of a client",
  "hold requests": "Messages held",
  "hold replies": "Messages held",
  pass: "Messages pass",
  release: "Held messages released",
};

/** The name of an accident in the picture. */
function accidentName({ number }) {
  return `A${number}`;
}

/** An item in a line. */
function summary(model, kind, item) {
  switch (kind) {
    case "call": {
      const loss = item.lost === null ? "" : ` (${lossText(item)})`;
      return `#${item.id} ${item.method} ${model.laneName(item.from)} \u2192 ${model.laneName(item.to)}${loss}`;
    }
    case "log":
      return `${model.laneName(item.lane)} ${item.topic} ${item.text}`;
    case "operation":
      return `${item.client} ${operationText(item)}`;
    case "accident":
      return `${accidentName(item)}: ${item.text}`;
    case "violation":
      return `FAILURE ${headline(item.actual)}`;
    default:
      return item.text;
  }
}

/** Pairs of names and values. */
function facts(rows) {
  const list = element("dl");
  for (const [name, value] of rows) list.append(element("dt", {}, name), element("dd", {}, value ?? ""));
  return list;
}
