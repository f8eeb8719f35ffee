// The strip above the picture: the whole run at a glance. How many calls, losses, log lines and
// faults there are at each moment, on a logarithmic scale: storms and silence are seen at once.

const STRIP = 46;

class Strip {
  constructor(canvas, model, view, ink) {
    Object.assign(this, { canvas, model, view, ink });
    this.key = null;
    this.base = document.createElement("canvas");
  }

  draw(width, from, to) {
    this.width = width;
    const key = [width, this.view.time, this.ink.isDark, devicePixelRatio].join();
    if (key !== this.key) {
      this.key = key;
      this.drawBase();
    }
    const { ink, view } = this;
    const g = prepare(this.canvas, width, STRIP);
    g.drawImage(this.base, 0, 0, width, STRIP);
    const [a, b] = [this.x(view.scale.position(from)), this.x(view.scale.position(to))];
    g.fillStyle = ink.pick;
    g.globalAlpha = 0.14;
    g.fillRect(a, 0, Math.max(2, b - a), STRIP);
    g.globalAlpha = 1;
    g.strokeStyle = ink.pick;
    g.lineWidth = 1.5;
    g.strokeRect(a, 0.75, Math.max(2, b - a), STRIP - 1.5);
  }

  x(position) {
    return (position / this.view.scale.length) * this.width;
  }

  positionAt(x) {
    return (x / this.width) * this.view.scale.length;
  }

  drawBase() {
    const { model, ink } = this;
    const g = prepare(this.base, this.width, STRIP);
    g.fillStyle = ink.tint;
    g.fillRect(0, 0, this.width, STRIP);
    const sent = model.calls.map((call) => call.sent);
    const lost = model.calls.filter((call) => call.lost !== null).map((call) => call.lostAt);
    this.drawRow(g, sent, ink.methods[0], 16, 1);
    this.drawRow(g, lost, ink.bad, 17, -1);
    this.drawRow(g, model.logs.map((log) => log.at), ink.good, 38, 1);
    g.fillStyle = ink.warn;
    for (const fault of model.faults) g.fillRect(this.x(this.view.scale.position(fault.at)) - 0.5, 39, 1.5, 6);
    g.fillStyle = ink.pick;
    for (const { at } of model.accidents) {
      const x = this.x(this.view.scale.position(at));
      g.beginPath();
      g.moveTo(x - 4, 0);
      g.lineTo(x + 4, 0);
      g.lineTo(x, 8);
      g.fill();
    }
    if (!model.violation) return;
    g.fillStyle = ink.bad;
    g.fillRect(this.x(this.view.scale.position(model.moment)) - 1.5, 0, 3, STRIP);
  }

  /** Bars of the number of events in two pixels each. */
  drawRow(g, times, colour, y, direction) {
    const bins = new Float64Array(Math.ceil(this.width / 2) + 1);
    for (const at of times) bins[Math.floor(this.x(this.view.scale.position(at)) / 2)]++;
    const most = Math.log1p(bins.reduce((a, b) => Math.max(a, b), 1));
    g.fillStyle = colour;
    bins.forEach((count, i) => {
      if (count === 0) return;
      const height = 2 + (direction > 0 ? 12 : 5) * (Math.log1p(count) / most);
      g.fillRect(i * 2, direction > 0 ? y - height : y, 1.6, height);
    });
  }
}
