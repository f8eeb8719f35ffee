// The story: time from top to bottom, one even step for each event, and only messages that had an
// effect. It shows why a run failed. Every text has a row of its own, so no text covers another.

const ROW = 19;
/** The row of an event without a text. */
const HALF = 9;
/** Silence that is longer than this gets a row. */
const PAUSE = 60_000;
const GUTTER = 92;
const HEADS = 48;
const COLUMN = 66;
/** Room for texts to the right of the last lane. */
const LAST = 210;

class Story {
  constructor(canvas, model, view, search, ink) {
    Object.assign(this, { canvas, model, view, search, ink });
    this.targets = [];
    this.key = null;
  }

  /** Places lanes and events; returns the size that is needed. */
  layout(width) {
    const { model, view } = this;
    this.placeSteps();
    const { blamed, servers, others } = laneRows(model, view);
    this.columns = [...blamed, ...others, ...servers];
    this.isShared = model.lanes.map(() => false);
    this.columns.filter((it) => it.length > 1).flat().forEach((lane) => (this.isShared[lane.index] = true));
    // A client needs less room: its texts may lie over the lanes of other clients.
    let widths = this.columns.map((lanes) => (lanes[0].kind === "client" ? 0.6 : 1));
    // If there are too many lanes, those are narrow that do nothing in these pages of the story.
    if (this.columns.length * COLUMN > width - GUTTER) {
      const active = this.activeLanes();
      widths = widths.map((part, i) => (this.columns[i].some((lane) => active.has(lane.index)) ? part : 0.2));
    }
    this.isNarrow = widths.map((part) => part < 0.5);
    const sum = widths.slice(0, -1).reduce((a, b) => a + b, 0);
    this.column = Math.max(COLUMN, Math.min(300, (width - GUTTER - 30 - LAST) / Math.max(1, sum)));
    let x = GUTTER + 30;
    this.xs = widths.map((part) => {
      x += part * this.column;
      return x - part * this.column;
    });
    this.xOf = model.lanes.map(() => null);
    this.columns.forEach((lanes, i) => lanes.forEach((lane) => (this.xOf[lane.index] = this.columnX(i))));
    this.width = Math.max(width, GUTTER + 30 + this.column * sum + LAST);
    return { width: this.width, height: this.length + HEADS + 60 };
  }

  /** The lanes of the steps around the time that is shown. */
  activeLanes() {
    const middle = firstWhere(this.steps.length, (i) => this.steps[i].at >= this.view.at);
    const near = this.steps.slice(Math.max(0, middle - 80), middle + 40);
    return new Set(near.flatMap(({ lane, item }) => [lane, item.from, item.to].filter(Number.isInteger)));
  }

  columnX(i) {
    return this.xs[i];
  }

  /** Lists what happens, unless nothing has changed that matters. */
  placeSteps() {
    const { view } = this;
    const hidden = Object.values(view.hidden).map((names) => [...names].join());
    const key = JSON.stringify([view.idle === "show", view.splitClients, hidden]);
    if (key === this.key) return;
    this.key = key;
    this.steps = listSteps(this);
    let y = HEADS + 12;
    let previous = null;
    for (const step of this.steps) {
      if (previous !== null && step.at - previous > PAUSE) {
        step.pause = step.at - previous;
        y += ROW;
      }
      previous = step.at;
      step.y = y;
      y += step.isQuiet ? HALF : ROW;
    }
    this.length = y;
    this.arrows = new LegIndex(listArrows(this.steps));
  }

  /** The height of the first event at or after a time. */
  yAt(at) {
    const place = firstWhere(this.steps.length, (i) => this.steps[i].at >= at);
    return this.steps[place]?.y ?? this.length;
  }

  /** The time of a height. */
  timeAt(y) {
    const place = firstWhere(this.steps.length, (i) => this.steps[i].y >= y);
    return this.steps[Math.min(place, this.steps.length - 1)]?.at ?? 0;
  }

  /** Draws what is visible if the first `top` pixels are scrolled away. */
  draw(top, height) {
    const g = prepare(this.canvas, this.width, height);
    Object.assign(this, { g, top, bottom: top + height, height });
    this.targets = [];
    g.save();
    g.translate(0, -top);
    this.drawColumns();
    this.drawRows();
    drawArrows(this);
    drawTexts(this);
    g.restore();
    this.drawHeads();
  }

  /** The bands of servers, and the operations of clients. */
  drawColumns() {
    const { g, ink, model } = this;
    const [from, to] = [this.timeAt(this.top) - 1, this.timeAt(this.bottom)];
    this.columns.forEach((lanes, i) => {
      const x = this.columnX(i);
      g.fillStyle = ink.rule;
      g.fillRect(x - 0.5, this.top, 1, this.height);
      if (lanes.length > 1 || lanes[0].kind !== "server") return;
      for (const band of model.bands[lanes[0].index]) {
        if (band.to < from || band.from > to) continue;
        const y1 = Math.max(this.top, band.from === 0 ? HEADS : this.yAt(band.from));
        const y2 = Math.min(this.bottom, this.yAt(band.to));
        const width = this.isNarrow[i] ? 5 : band.role === "leader" ? 20 : 12;
        g.fillStyle = ink.band(band);
        g.fillRect(x - width / 2, y1, width, y2 - y1);
        if (band.cut || band.side !== null) this.drawRim(band, x, width, y1, y2);
      }
    });
    drawStoryOperations(this, from, to);
  }

  drawRim(band, x, width, y1, y2) {
    const { g, ink } = this;
    g.strokeStyle = band.cut ? ink.bad : ink.methods[(band.side * 3 + 1) % 8];
    g.setLineDash(band.cut ? [6, 3] : []);
    g.lineWidth = 2.5;
    g.beginPath();
    for (const side of [x - width / 2 - 3, x + width / 2 + 3]) {
      g.moveTo(side, y1);
      g.lineTo(side, y2);
    }
    g.stroke();
    g.setLineDash([]);
  }

  /** Times, pauses, faults, and the failure. */
  drawRows() {
    const { g, ink } = this;
    const first = firstWhere(this.steps.length, (i) => this.steps[i].y >= this.top - 2 * ROW);
    const illegal = this.model.illegal;
    if (illegal) {
      const [y1, y2] = [this.yAt(illegal.from), this.yAt(illegal.to)];
      g.fillStyle = ink.bad;
      g.globalAlpha = 0.08;
      g.fillRect(0, y1, this.width, y2 - y1 + ROW / 2);
      g.globalAlpha = 1;
      g.fillRect(GUTTER - 6, y1, 3, y2 - y1 + ROW / 2);
    }
    let free = -Infinity;
    for (let i = first; i < this.steps.length && this.steps[i].y < this.bottom + ROW; i++) {
      const step = this.steps[i];
      g.font = ink.mono;
      g.textAlign = "right";
      if (step.pause) {
        g.fillStyle = ink.tint;
        g.fillRect(0, step.y - 1.5 * ROW + 2, this.width, ROW - 4);
        g.fillStyle = ink.muted;
        g.fillText(`// ${duration(step.pause)}`, GUTTER - 12, step.y - ROW);
      }
      if (step.y >= free) {
        g.fillStyle = ink.muted;
        g.fillText((step.at / 1e6).toFixed(4), GUTTER - 12, step.y);
        free = step.y + 13;
      }
      const isFailure = step.kind === "violation" || step.kind === "mistake";
      if (step.kind !== "fault" && !isFailure) continue;
      g.fillStyle = isFailure ? ink.bad : ink.warn;
      g.fillRect(GUTTER - 6, step.y + 7, this.width, 1.5);
    }
  }

  /** Names and states of lanes at the top of the window. */
  drawHeads() {
    const { g, ink, model } = this;
    g.fillStyle = ink.paper;
    g.fillRect(0, 0, this.width, HEADS - 4);
    g.fillStyle = ink.rule;
    g.fillRect(0, HEADS - 4, this.width, 1);
    g.textAlign = "center";
    const at = this.timeAt(this.top + HEADS);
    let named = 0;
    this.columns.forEach((lanes, i) => {
      const x = this.columnX(i);
      const isCulprit = lanes[0].name === model.violation?.culprit?.server;
      g.font = ink.bold;
      g.fillStyle = isCulprit ? ink.bad : ink.ink;
      if (this.isNarrow[i]) return;
      // Long names of close lanes take turns.
      g.fillText(rowName(lanes), x, this.column < 95 && named++ % 2 === 1 ? 22 : 9);
      if (lanes[0].kind !== "server") return;
      g.font = ink.small;
      g.fillStyle = ink.muted;
      g.fillText(bandText(bandAt(model.bands[lanes[0].index], at)), x, 36);
    });
  }

  hit(x, y) {
    let best = null;
    let least = 64;
    for (const target of this.targets) {
      const square = squareDistance(target, x, y + this.top);
      if (square < least) [best, least] = [target, square];
    }
    return best && { kind: best.kind, item: best.item };
  }
}
