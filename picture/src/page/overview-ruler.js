// What lies behind the lanes of the overview: times, stretches that are cut, faults, and the time of
// the operations that are to blame.

/** Stretches of silence: hatched, with the time that is left out. */
function drawGaps(o) {
  const { g, ink } = o;
  g.font = ink.small;
  for (const gap of o.view.scale.gaps) {
    const [a, b] = [o.xOf(gap.start), o.xOf(gap.stop)];
    if (b < o.left || a > o.right || b - a < 1.5) continue;
    const [from, to] = [Math.max(a, o.left), Math.min(b, o.right)];
    g.fillStyle = ink.tint;
    g.fillRect(from, 20, to - from, o.height - 20);
    g.strokeStyle = ink.muted;
    g.lineWidth = 1;
    g.beginPath();
    const middle = (a + b) / 2;
    if (b - a > 7 && middle > o.left && middle < o.right) {
      for (const shift of [-2.5, 2.5]) {
        g.moveTo(middle + shift - 3, 20);
        g.lineTo(middle + shift + 3, 10);
      }
    }
    g.stroke();
    const text = duration(gap.to - gap.from);
    if (b - a > 8 && middle - 24 > o.left && middle + 24 < o.right) {
      g.textAlign = "center";
      haloed(g, text, middle, 28, ink.muted, ink.paper);
    }
  }
}

/** The time that the operations span which no order explains. */
function drawIllegal(o) {
  const { g, ink } = o;
  const illegal = o.model.illegal;
  if (!illegal) return;
  const x1 = Math.max(o.left, o.x(illegal.from));
  const x2 = Math.min(o.right + 12, o.x(illegal.to));
  if (x2 < x1) return;
  g.fillStyle = ink.bad;
  g.globalAlpha = 0.08;
  g.fillRect(x1, 20, x2 - x1, o.height - 20);
  g.globalAlpha = 1;
  g.fillRect(x1, o.height - 3, x2 - x1, 3);
  g.font = ink.bold;
  g.textAlign = "left";
  const text = `${illegal.operations.length} operations that no order explains`;
  if (x2 - x1 > text.length * 7) haloed(g, text, x1 + 6, o.height - 12, ink.bad, ink.paper);
}

/** Times above the lanes. */
function drawTimes(o) {
  const { g, ink, view } = o;
  const perPixel = (view.stop - view.start) / (o.right - o.left);
  const step = niceStep(perPixel * 110);
  g.font = ink.small;
  g.textAlign = "center";
  const isCut = view.scale.gaps.some((gap) => gap.stop > view.start && gap.start < view.stop);
  const steps = isCut ? [step, step / 10] : [step];
  for (let x = o.left + 14; x < o.right - 20; ) {
    const tick = roundTime(o, x, isCut ? x + 70 : o.right, steps);
    if (tick === null) {
      x += isCut ? 70 : Infinity;
      continue;
    }
    const at = o.x(tick.at);
    g.fillStyle = ink.rule;
    g.fillRect(Math.round(at), 18, 1, o.height - 18);
    g.fillStyle = ink.muted;
    g.fillText(seconds(tick.at, tick.step), at, 9);
    x = isCut ? at + 90 : at + 1;
  }
}

/** The roundest time between two places, outside of what is cut; null if there is none. */
function roundTime(o, x1, x2, steps) {
  const { scale } = o.view;
  const [from, to] = [o.positionAt(x1), o.positionAt(x2)];
  for (const step of steps) {
    const first = Math.max(0, scale.time(from));
    const last = Math.min(scale.time(to), o.model.duration);
    for (let at = Math.ceil(first / step) * step, tries = 0; at <= last && tries < 40; at += step, tries++) {
      const gap = scale.gapBefore(at, "from");
      if (!gap || at >= gap.to) return { at, step };
    }
  }
  return null;
}

/** Accidents: their names in boxes, on the lane to which they happen or above all lanes. */
function drawAccidents(o) {
  const { g, ink, model, view } = o;
  if (view.hidden.kind.has("accidents")) return;
  g.font = ink.bold;
  g.textAlign = "center";
  const free = new Map();
  for (const accident of model.accidents) {
    if (accident.at < o.from || accident.at > o.to) continue;
    const x = o.x(accident.at);
    const lane = o.yOf[accident.lane] ?? null;
    const y = lane === null ? 62 : lane - 16;
    const isChosen = isSelected(view, accident) || o.search.found.has(accident);
    o.targets.push({ kind: "accident", item: accident, x1: x, y1: y, x2: x, y2: y });
    const width = 8 + accidentName(accident).length * 7;
    if (x - width / 2 < (free.get(y) ?? -Infinity) && !isChosen) continue;
    free.set(y, x + width / 2);
    g.fillStyle = isChosen ? ink.pick : ink.paper;
    g.strokeStyle = isChosen ? ink.pick : ink.bad;
    g.lineWidth = 1.5;
    g.fillRect(x - width / 2, y - 8, width, 16);
    g.strokeRect(x - width / 2, y - 8, width, 16);
    g.fillRect(x - 0.75, y + 8, 1.5, lane === null ? o.height - y : 6);
    g.fillStyle = isChosen ? ink.paper : ink.bad;
    g.fillText(accidentName(accident), x, y + 0.5);
  }
}

/** Faults of several servers or of the network: a line through all lanes and its name above. */
function drawFaults(o) {
  const { g, ink, view } = o;
  if (view.hidden.kind.has("faults")) return;
  const visible = o.model.faults.filter((it) => it.at >= o.from && it.at <= o.to);
  let last = -Infinity;
  for (const fault of visible) {
    const x = o.x(fault.at);
    o.targets.push({ kind: "fault", item: fault, x1: x, y1: 38, x2: x, y2: 52 });
    if (x - last < 1.5) continue;
    g.fillStyle = o.search.found.has(fault) ? ink.pick : ink.warn;
    g.globalAlpha = x - last > 12 ? 0.35 : 0.12;
    g.fillRect(Math.round(x), 44, 1, o.height - 44);
    g.globalAlpha = 1;
    g.fillRect(Math.round(x) - 1, 46, 3, 6);
    last = x;
  }
  g.font = ink.small;
  g.textAlign = "left";
  let free = -Infinity;
  visible.forEach((fault, i) => {
    const x = o.x(fault.at);
    const room = i + 1 < visible.length ? o.x(visible[i + 1].at) - x - 4 : Infinity;
    const text = fault.text.length > 34 ? `${fault.text.slice(0, 33)}\u2026` : fault.text;
    // A name may cover the marks of others only if those would have no room for theirs.
    if (x < free || (room < 12 && text.length * 6.2 > room && i > 0 && x - o.x(visible[i - 1].at) < 12)) return;
    haloed(g, text, x + 3, 40, ink.warn, ink.paper);
    free = x + 14 + text.length * 6.2;
  });
}
