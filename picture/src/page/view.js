// What is shown: mode, window, selection, filters. It stands in the page's address, so that a view
// can be bookmarked or sent to someone who has the same file.

class View {
  constructor(model) {
    this.model = model;
    this.mode = "overview";
    /** The window of the overview, as positions of the scale. */
    this.start = 0;
    this.stop = 1;
    /** The time at the middle of the story. */
    this.at = 0;
    this.idle = "fade";
    this.time = "cut";
    /** `{kind: "call" | "log" | "fault" | "accident" | "operation" | "violation", item}`. */
    this.pinned = null;
    this.hovered = null;
    this.query = "";
    this.withMessages = false;
    this.splitClients = false;
    this.hidden = { method: new Set(), topic: new Set(), lane: new Set(), kind: new Set() };
    this.scales = {
      cut: new Scale(model.duration, busyTimes(model)),
      true: new Scale(model.duration, []),
    };
    this.scales.true.gaps = [];
    this.scales.true.length = model.duration;
  }

  get scale() {
    return this.scales[this.time];
  }

  get selected() {
    return this.hovered ?? this.pinned;
  }

  get from() {
    return this.scale.time(this.start);
  }

  get to() {
    return this.scale.time(this.stop);
  }

  /** Shows the time from `from` to `to`. */
  showTimes(from, to) {
    this.start = this.scale.position(from);
    this.stop = Math.max(this.start + 50, this.scale.position(to));
    this.at = (from + to) / 2;
    this.keepInside();
  }

  showAll() {
    this.start = -0.01 * this.scale.length;
    this.stop = 1.02 * this.scale.length;
    this.at = this.model.moment;
  }

  /**
   * The last messages with an effect before the moment of the mistake, and the moment itself; the
   * whole run if nothing failed.
   */
  showFailure() {
    if (!this.model.violation) {
      this.showAll();
      return;
    }
    const moment = this.model.moment;
    const effective = this.model.calls.filter((it) => it.weight === EFFECTIVE && it.sent <= moment);
    const first = effective.slice(-60)[0]?.sent ?? moment - 1e6;
    const from = Math.max(0, this.model.illegal?.from ?? first);
    const room = Math.max(2000, 0.06 * (this.scale.position(moment) - this.scale.position(from)));
    this.start = this.scale.position(from) - room / 2;
    this.stop = this.scale.position(moment) + room;
    this.at = moment;
  }

  /** Moves the window by a part of its length. */
  pan(part) {
    const by = part * (this.stop - this.start);
    this.start += by;
    this.stop += by;
    this.keepInside();
  }

  /** Makes the window longer by `factor`; the position `fixed` stays where it is. */
  zoom(factor, fixed = (this.start + this.stop) / 2) {
    const length = Math.min(1.1 * this.scale.length, Math.max(200, (this.stop - this.start) * factor));
    const part = (fixed - this.start) / (this.stop - this.start);
    this.start = fixed - part * length;
    this.stop = this.start + length;
    this.keepInside();
  }

  keepInside() {
    const length = this.stop - this.start;
    const margin = Math.min(0.5 * length, 0.05 * this.scale.length);
    this.start = Math.min(Math.max(this.start, -margin), this.scale.length + margin - length);
    if (length > this.scale.length + 2 * margin) this.start = (this.scale.length - length) / 2;
    this.stop = this.start + length;
    this.at = Math.min(Math.max(this.at, 0), this.model.duration);
  }

  /** Makes a time visible, in the middle unless it is visible already. */
  reveal(at) {
    const position = this.scale.position(at);
    const length = this.stop - this.start;
    if (position < this.start + 0.05 * length || position > this.stop - 0.05 * length) {
      this.start = position - length / 2;
      this.stop = position + length / 2;
    }
    this.at = at;
    this.keepInside();
  }

  /** Changes the scale and keeps the times that are visible. */
  setTime(time) {
    const { from, to } = this;
    this.time = time;
    this.start = this.scale.position(Math.max(0, from));
    this.stop = Math.max(this.start + 200, this.scale.position(to));
    this.keepInside();
  }

  isHiddenLane(lane) {
    return lane !== undefined && this.hidden.lane.has(this.model.laneName(lane));
  }

  isHiddenCall(call) {
    if (this.idle === "hide" && call.weight === IDLE && call !== this.pinned?.item) return true;
    if (this.hidden.kind.has("messages") || this.hidden.method.has(call.method)) return true;
    return this.isHiddenLane(call.from) || this.isHiddenLane(call.to);
  }

  isHiddenLog(log) {
    if (this.hidden.kind.has("log lines") || this.hidden.topic.has(log.topic)) return true;
    return this.isHiddenLane(log.lane);
  }

  isHiddenMark(mark) {
    if (mark.kind === "log") return this.isHiddenLog(mark.item);
    if (mark.kind === "call") return this.isHiddenCall(mark.item);
    if (mark.kind === "accident") return this.hidden.kind.has("accidents");
    if (mark.kind !== "fault") return false;
    if (mark.item.verb === "stall") return this.hidden.kind.has("stalls") || this.isHiddenLane(mark.item.lane);
    return this.hidden.kind.has("faults");
  }
}

/** The number by which an address names something, within its kind. */
function numberOf(model, { kind, item }) {
  if (kind === "call" || kind === "operation") return item.id;
  if (kind === "log") return model.logs.indexOf(item);
  if (kind === "accident") return item.number;
  return kind === "fault" ? [...model.faults, ...model.stalls].indexOf(item) : 0;
}

/** The opposite of [`numberOf`]. */
function itemOf(model, kind, number) {
  if (kind === "call") return model.calls.find((call) => call.id === number);
  if (kind === "operation") return model.operations.find((it) => it.id === number);
  if (kind === "log") return model.logs[number];
  if (kind === "accident") return model.accidents[number - 1];
  if (kind === "fault") return [...model.faults, ...model.stalls][number];
  return kind === "violation" ? model.violation : undefined;
}
