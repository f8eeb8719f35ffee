// The list of events: log lines, faults and the failure as text, and messages on demand. Only the
// rows in sight are elements: a run may have a hundred thousand.

const LINE = 19;
/** Least time between two repaints, in milliseconds. */
const PACE = 60;

/** What stands in place of a topic. */
const MARKS = { fault: () => "!", accident: (item) => accidentName(item) };

class EventList {
  constructor(box, body, model, view, search, actions) {
    Object.assign(this, { box, body, model, view, search, actions });
    this.rows = [];
    this.key = null;
    this.scheduled = false;
    this.painted = 0;
    box.addEventListener("scroll", () => this.draw());
    body.addEventListener("click", (event) => this.act(event, actions.pin));
    body.addEventListener("mousemove", (event) => this.act(event, actions.hover));
    body.addEventListener("mouseleave", () => actions.hover(null));
  }

  act(event, action) {
    const place = event.target.closest("[data-row]")?.dataset.row;
    if (place !== undefined) action({ kind: this.rows[place].kind, item: this.rows[place].item });
  }

  /** Lists what passes the filters, if they have changed. */
  refresh() {
    const { model, view } = this;
    const hidden = Object.values(view.hidden).map((names) => [...names].join());
    const key = JSON.stringify([view.withMessages, view.idle, hidden, this.search.query]);
    if (key === this.key) return;
    this.key = key;
    let rows = model.marks.filter((mark) => !view.isHiddenMark(mark));
    if (view.withMessages || this.search.isOn) {
      const calls = model.calls.filter((call) => !view.isHiddenCall(call));
      rows = rows.concat(calls.map((call) => ({ at: call.sent, kind: "call", item: call })));
      const operations = model.operations.filter((it) => !view.isHiddenLane(it.lane));
      rows = rows.concat(operations.map((it) => ({ at: it.from, kind: "operation", item: it })));
      rows.sort((a, b) => a.at - b.at);
    }
    if (this.search.isOn) rows = rows.filter((row) => row.kind === "violation" || this.search.found.has(row.item));
    this.rows = rows;
    this.body.style.height = `${rows.length * LINE}px`;
    this.draw(true);
  }

  /** Scrolls so that the row of a time is the second one from the top, or an item is in sight. */
  follow(from, item) {
    const place = item ? this.rows.findIndex((row) => row.item === item) : -1;
    const room = this.box.clientHeight;
    if (place >= 0) this.box.setAttribute("aria-activedescendant", `row-${place}`);
    if (place >= 0) {
      const y = place * LINE;
      if (y < this.box.scrollTop || y > this.box.scrollTop + room - LINE) this.box.scrollTop = y - room / 2;
    } else if (!item) {
      const first = firstWhere(this.rows.length, (i) => this.rows[i].at >= from);
      this.box.scrollTop = Math.max(0, first - 1) * LINE;
    }
    this.draw(true);
  }

  draw() {
    if (this.scheduled) return;
    this.scheduled = true;
    // While the picture moves, its frames come first.
    const wait = performance.now() - this.painted > PACE ? 0 : PACE;
    setTimeout(() => {
      this.scheduled = false;
      this.painted = performance.now();
      this.paint();
    }, wait);
  }

  paint() {
    const first = Math.max(0, Math.floor(this.box.scrollTop / LINE) - 3);
    const last = Math.min(this.rows.length, first + Math.ceil(this.box.clientHeight / LINE) + 6);
    const nodes = [];
    for (let i = first; i < last; i++) nodes.push(this.line(i));
    this.body.replaceChildren(...nodes);
    if (this.rows.length === 0) this.body.append(element("p", { class: "muted" }, "No event passes the filters."));
  }

  line(place) {
    const { at, kind, item } = this.rows[place];
    const { model, view } = this;
    const { from, to } = this.actions.window();
    const classes = ["line", kind];
    if (at >= from && at <= to) classes.push("inside");
    if (isSelected(view, item)) classes.push("chosen");
    if (item.call && isSelected(view, item.call)) classes.push("related");
    const node = element(
      "div",
      {
        class: classes.join(" "),
        role: "option",
        id: `row-${place}`,
        "data-row": place,
        "aria-selected": view.pinned?.item === item ? "true" : "false",
        "aria-setsize": this.rows.length,
        "aria-posinset": place + 1,
      },
      element("span", { class: "at" }, (at / 1e6).toFixed(4)),
      element("span", { class: "who" }, kind === "log" ? model.laneName(item.lane) : ""),
      element("span", { class: "topic" }, kind === "log" ? item.topic : MARKS[kind]?.(item) ?? ""),
      element("span", { class: "text" }, this.text(place)),
    );
    node.style.top = `${place * LINE}px`;
    if (kind === "log") node.children[2].style.color = topicColour({ model, ink: this.actions.ink }, item.topic);
    return node;
  }

  text(place) {
    const { at, kind, item } = this.rows[place];
    if (kind === "log" || kind === "accident") return item.text;
    if (kind === "violation" && at !== item.at) return `MISTAKE, seen at ${seconds(item.at, 100)}`;
    return summary(this.model, kind, item);
  }

  /** The row after or before the pinned one, or the first one after a time. */
  step(direction, at) {
    const { rows } = this;
    let place = rows.findIndex((row) => row.item === this.view.pinned?.item);
    if (place < 0) {
      const after = firstWhere(rows.length, (i) => rows[i].at >= at);
      place = direction > 0 ? after - 1 : after;
    }
    return rows[Math.min(rows.length - 1, Math.max(0, place + direction))] ?? null;
  }
}
