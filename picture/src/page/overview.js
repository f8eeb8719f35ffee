// The overview: true time from left to right, a lane for each server and client. It shows what kind
// of run it was: who led when, who was cut off or down, where messages were lost.

/** Room above the lanes for times and faults. */
const RULER = 58;
/** Least distance of lanes. */
const LANE = 24;
/** Distance of lanes below which texts stand on the bands, and log lines have none. */
const NARROW = 46;

class Overview {
  constructor(canvas, model, view, search, ink) {
    Object.assign(this, { canvas, model, view, search, ink });
    this.legs = new LegIndex(buildLegs(model.calls));
    this.owned = ownership(model);
    /** What was drawn where: `{kind, item, x1, y1, x2, y2}`. */
    this.targets = [];
  }

  /** Places the lanes in a window of this size; returns the height that is needed. */
  layout(width, room) {
    const { model, view } = this;
    this.width = width;
    this.left = Math.min(150, 18 + Math.max(...model.lanes.map((it) => it.name.length), 4) * 7.4);
    this.right = width - 12;
    const { blamed, servers, others } = laneRows(model, view);
    const rows = [...blamed, ...servers, ...others];
    this.shardRows = this.owned.length;
    const bottom = (model.illegal ? 28 : 14) + (this.shardRows > 0 ? 22 + this.shardRows * SHARD_ROW : 0);
    const height = Math.max(room, RULER + bottom + rows.length * LANE);
    // A lane of clients needs no room for log lines.
    const weights = rows.map((lanes) => (lanes[0].kind === "server" || lanes.length > 1 ? 1 : 0.55));
    // Groups of servers stand apart.
    rows.forEach((lanes, i) => {
      if (i > 0 && groupOf(rows[i - 1]) !== groupOf(lanes)) weights[i - 1] += 0.3;
    });
    const sum = weights.reduce((a, b) => a + b, 0);
    this.gap = Math.min(130, (height - RULER - bottom) / Math.max(sum, 1));
    let top = RULER;
    this.rows = rows.map((lanes, i) => {
      const y = top + (lanes[0].kind === "server" ? 0.42 : 0.23) * this.gap;
      top += weights[i] * this.gap;
      return { lanes, y };
    });
    this.yOf = model.lanes.map(() => null);
    this.isShared = model.lanes.map(() => false);
    for (const row of this.rows) {
      for (const lane of row.lanes) {
        this.yOf[lane.index] = row.y;
        this.isShared[lane.index] = row.lanes.length > 1;
      }
    }
    this.shardTop = top + 18;
    this.height = height;
    return height;
  }

  x(at) {
    return this.xOf(this.view.scale.position(at));
  }

  xOf(position) {
    const { start, stop } = this.view;
    return this.left + ((position - start) / (stop - start)) * (this.right - this.left);
  }

  positionAt(x) {
    const { start, stop } = this.view;
    return start + ((x - this.left) / (this.right - this.left)) * (stop - start);
  }

  logPositions() {
    const { scale } = this.view;
    if (this.logScale !== scale) {
      this.logScale = scale;
      this.logStarts = positionsOf(scale, this.model.logs, (log) => log.at);
    }
    return this.logStarts;
  }

  draw() {
    const g = prepare(this.canvas, this.width, this.height);
    this.g = g;
    this.targets = [];
    this.from = this.view.from;
    this.to = this.view.to;
    this.drawGaps();
    this.drawIllegal();
    this.drawTimes();
    g.save();
    g.beginPath();
    g.rect(this.left, 0, this.right - this.left + 12, this.height);
    g.clip();
    this.drawFaults();
    drawBands(this);
    drawLegs(this);
    drawBandLabels(this);
    drawOperations(this);
    drawStalls(this);
    drawShards(this);
    drawLogs(this);
    this.drawFailure();
    this.drawSelection();
    g.restore();
    this.drawNames();
  }

  /** Stretches of silence: hatched, with the time that is left out. */
  drawGaps() {
    const { g, ink } = this;
    g.font = ink.small;
    for (const gap of this.view.scale.gaps) {
      const [a, b] = [this.xOf(gap.start), this.xOf(gap.stop)];
      if (b < this.left || a > this.right || b - a < 1.5) continue;
      const [from, to] = [Math.max(a, this.left), Math.min(b, this.right)];
      g.fillStyle = ink.tint;
      g.fillRect(from, 20, to - from, this.height - 20);
      g.strokeStyle = ink.muted;
      g.lineWidth = 1;
      g.beginPath();
      const middle = (a + b) / 2;
      if (b - a > 7 && middle > this.left && middle < this.right) {
        for (const shift of [-2.5, 2.5]) {
          g.moveTo(middle + shift - 3, 20);
          g.lineTo(middle + shift + 3, 10);
        }
      }
      g.stroke();
      const text = duration(gap.to - gap.from);
      if (b - a > 8 && middle - 24 > this.left && middle + 24 < this.right) {
        g.textAlign = "center";
        haloed(g, text, middle, 28, ink.muted, ink.paper);
      }
    }
  }

  /** The time that the operations span which no order explains. */
  drawIllegal() {
    const { g, ink } = this;
    const illegal = this.model.illegal;
    if (!illegal) return;
    const x1 = Math.max(this.left, this.x(illegal.from));
    const x2 = Math.min(this.right + 12, this.x(illegal.to));
    if (x2 < x1) return;
    g.fillStyle = ink.bad;
    g.globalAlpha = 0.08;
    g.fillRect(x1, 20, x2 - x1, this.height - 20);
    g.globalAlpha = 1;
    g.fillRect(x1, this.height - 3, x2 - x1, 3);
    g.font = ink.bold;
    g.textAlign = "left";
    const text = `${illegal.operations.length} operations that no order explains`;
    if (x2 - x1 > text.length * 7) haloed(g, text, x1 + 6, this.height - 12, ink.bad, ink.paper);
  }

  drawTimes() {
    const { g, ink, view } = this;
    const perPixel = (view.stop - view.start) / (this.right - this.left);
    const step = niceStep(perPixel * 110);
    g.font = ink.small;
    g.textAlign = "center";
    const isCut = view.scale.gaps.some((gap) => gap.stop > view.start && gap.start < view.stop);
    const steps = isCut ? [step, step / 10] : [step];
    for (let x = this.left + 14; x < this.right - 20; ) {
      const tick = this.roundTime(x, isCut ? x + 70 : this.right, steps);
      if (tick === null) {
        x += isCut ? 70 : Infinity;
        continue;
      }
      const at = this.x(tick.at);
      g.fillStyle = ink.rule;
      g.fillRect(Math.round(at), 18, 1, this.height - 18);
      g.fillStyle = ink.muted;
      g.fillText(seconds(tick.at, tick.step), at, 9);
      x = isCut ? at + 90 : at + 1;
    }
  }

  /** The roundest time between two places, outside of what is cut; null if there is none. */
  roundTime(x1, x2, steps) {
    const { scale } = this.view;
    const [from, to] = [this.positionAt(x1), this.positionAt(x2)];
    for (const step of steps) {
      const first = Math.max(0, scale.time(from));
      const last = Math.min(scale.time(to), this.model.duration);
      for (let at = Math.ceil(first / step) * step, tries = 0; at <= last && tries < 40; at += step, tries++) {
        const gap = scale.gapBefore(at, "from");
        if (!gap || at >= gap.to) return { at, step };
      }
    }
    return null;
  }

  /** Faults of several servers or of the network: a line through all lanes and its name above. */
  drawFaults() {
    const { g, ink, view } = this;
    if (view.hidden.kind.has("faults")) return;
    const visible = this.model.faults.filter((it) => it.at >= this.from && it.at <= this.to);
    let last = -Infinity;
    for (const fault of visible) {
      const x = this.x(fault.at);
      this.targets.push({ kind: "fault", item: fault, x1: x, y1: 38, x2: x, y2: 52 });
      if (x - last < 1.5) continue;
      g.fillStyle = this.search.found.has(fault) ? ink.pick : ink.warn;
      g.globalAlpha = x - last > 12 ? 0.35 : 0.12;
      g.fillRect(Math.round(x), 44, 1, this.height - 44);
      g.globalAlpha = 1;
      g.fillRect(Math.round(x) - 1, 46, 3, 6);
      last = x;
    }
    g.font = ink.small;
    g.textAlign = "left";
    let free = -Infinity;
    visible.forEach((fault, i) => {
      const x = this.x(fault.at);
      const room = i + 1 < visible.length ? this.x(visible[i + 1].at) - x - 4 : Infinity;
      const text = fault.text.length > 34 ? `${fault.text.slice(0, 33)}\u2026` : fault.text;
      // A name may cover the marks of others only if those would have no room for theirs.
      if (x < free || (room < 12 && text.length * 6.2 > room && i > 0 && x - this.x(visible[i - 1].at) < 12)) return;
      haloed(g, text, x + 3, 40, ink.warn, ink.paper);
      free = x + 14 + text.length * 6.2;
    });
  }

  /** The moment of the mistake and that of the failure; often they are the same. */
  drawFailure() {
    const { g, ink, model } = this;
    if (!model.violation) return;
    const line = (at, text, isLeft) => {
      const x = this.x(at);
      if (x < this.left || x > this.right + 10) return;
      g.fillStyle = ink.bad;
      g.fillRect(x - 1, 14, 2, this.height - 14);
      g.font = ink.bold;
      g.textAlign = isLeft ? "right" : "left";
      haloed(g, text, x + (isLeft ? -5 : 5), 22, ink.bad, ink.paper);
    };
    const isNear = Math.abs(this.x(model.violation.at) - this.x(model.moment)) < 110;
    line(model.violation.at, isNear ? "FAILURE" : "failure seen", true);
    if (model.moment !== model.violation.at) line(model.moment, isNear ? "" : "MISTAKE", true);
    const server = model.laneOf.get(model.violation.culprit?.server);
    const y = this.yOf[server];
    if (y === null || y === undefined) return;
    const x = this.x(model.moment);
    g.beginPath();
    g.arc(x, y, 7, 0, 7);
    g.fill();
    g.strokeStyle = ink.paper;
    g.lineWidth = 1.5;
    g.beginPath();
    cross(g, x, y, 3);
    g.stroke();
    this.targets.push({ kind: "violation", item: model.violation, x1: x, y1: y, x2: x, y2: y });
  }

  /** What is selected or pinned, above everything else. */
  drawSelection() {
    for (const chosen of new Set([this.view.pinned, this.view.hovered])) {
      if (chosen?.kind === "call") drawChosenCall(this, chosen.item);
      else if (chosen && chosen.item.at !== undefined) this.drawMoment(chosen);
    }
  }

  drawMoment({ item }) {
    const { g, ink } = this;
    const x = this.x(item.at);
    g.fillStyle = ink.pick;
    g.globalAlpha = 0.6;
    g.fillRect(x - 0.5, 50, 1, this.height - 50);
    g.globalAlpha = 1;
    const y = this.yOf[item.lane];
    if (y === null || y === undefined) return;
    g.strokeStyle = ink.pick;
    g.lineWidth = 2.5;
    g.beginPath();
    g.arc(x, y, 7, 0, 7);
    g.stroke();
  }

  drawNames() {
    const { g, ink } = this;
    g.fillStyle = ink.paper;
    g.fillRect(0, 0, this.left - 6, this.height);
    g.textAlign = "left";
    const culprit = this.model.violation?.culprit?.server;
    for (const row of this.rows) {
      const name = rowName(row.lanes);
      g.font = ink.bold;
      g.fillStyle = name === culprit ? ink.bad : ink.ink;
      g.fillText(name, 8, row.y);
    }
    drawShardNames(this);
  }

  /** What is drawn near a point. Marks win over strokes. */
  hit(x, y) {
    let best = null;
    let least = 49;
    for (const target of this.targets) {
      const bonus = target.kind === "call" ? 0 : 6;
      const square = squareDistance(target, x, y) - bonus;
      if (square < least) [best, least] = [target, square];
    }
    return best && { kind: best.kind, item: best.item };
  }
}

/** The group of a row, from the name of its first lane: `server-100` of `server-100-2`. */
function groupOf([lane]) {
  return `${lane.kind} ${lane.name.replace(/-?\d+$/, "")}`;
}

/** The square of the distance of a point from a stroke. */
function squareDistance({ x1, y1, x2, y2 }, x, y) {
  const [dx, dy] = [x2 - x1, y2 - y1];
  const length = dx * dx + dy * dy;
  const part = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - x1) * dx + (y - y1) * dy) / length));
  return (x - x1 - part * dx) ** 2 + (y - y1 - part * dy) ** 2;
}
