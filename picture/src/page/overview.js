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
    const { blamed, servers, others } = laneRows(model, view);
    const rows = [...blamed, ...servers, ...others];
    this.left = Math.min(150, 18 + Math.max(...rows.map((lanes) => rowName(lanes).length), 4) * 7.4);
    this.right = width - 12;
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
    this.rowOf = model.lanes.map(() => null);
    this.rows.forEach((row, i) => {
      for (const lane of row.lanes) {
        this.yOf[lane.index] = row.y;
        this.rowOf[lane.index] = i;
        this.isShared[lane.index] = row.lanes.length > 1;
      }
    });
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
    drawGaps(this);
    drawIllegal(this);
    drawTimes(this);
    g.save();
    g.beginPath();
    g.rect(this.left, 0, this.right - this.left + 12, this.height);
    g.clip();
    drawFaults(this);
    drawBands(this);
    drawLegs(this);
    drawBandLabels(this);
    drawOperations(this);
    drawStalls(this);
    drawShards(this);
    drawLogs(this);
    drawAccidents(this);
    this.drawFailure();
    this.drawSelection();
    g.restore();
    this.drawNames();
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
