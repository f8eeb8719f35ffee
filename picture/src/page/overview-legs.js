// The messages of the overview. Where there are too many, those between two lanes that lie within
// a few pixels are drawn as one stroke, with their number.

/** More strokes than these are joined to bins of 3 and of 8 pixels. */
const CROWD = 500;
const MASS = 2000;
/** If there are more bins than these, they are made wider: the number of strokes decides how long a frame takes. */
const BINS = 2500;

/** Draws all legs that are in view, the idle ones first. */
function drawLegs(o) {
  const { legs } = o.legs;
  const positions = o.legs.positions(o.view.scale);
  const [first, last] = o.legs.range(o.from - 2 * USUAL_LATENCY, o.to);
  const count = last - first;
  o.isMass = count > MASS;
  o.isCrowd = count > CROWD;
  let width = o.isMass ? 8 : 3;
  let bins = new Map();
  const strokes = [];
  for (let i = first; i < last; i++) {
    const leg = legs[i];
    if (o.yOf[leg.from] === null || o.yOf[leg.to] === null || o.view.isHiddenCall(leg.call)) continue;
    if (o.yOf[leg.from] === o.yOf[leg.to]) continue;
    // Where time is cut, idle messages would be a smear.
    if (leg.call.weight === IDLE && o.view.scale.isCut(leg.start)) continue;
    const x = o.xOf(positions[i]);
    if (o.isCrowd) join(o, bins, width, leg, x, 1);
    else strokes.push({ leg, x, count: 1 });
  }
  while (bins.size > BINS) {
    width *= 2;
    const wider = new Map();
    for (const bin of bins.values()) join(o, wider, width, bin.leg, bin.x, bin.count);
    bins = wider;
  }
  paintStrokes(o, [...strokes, ...bins.values()]);
}

/** Adds legs between the same lanes to their bin, which shows the one that tells most. */
function join(o, bins, width, leg, x, count) {
  const [from, to] = [o.rowOf[leg.from], o.rowOf[leg.to]];
  // In a mass only who talks to whom matters, not who asks.
  const [a, b] = o.isMass && from > to ? [to, from] : [from, to];
  const rows = o.rows.length;
  const key = (Math.floor(x / width) * rows + a) * rows + b;
  const bin = bins.get(key);
  if (!bin) {
    bins.set(key, { leg, x, count });
    return;
  }
  bin.count += count;
  if (rank(o, leg) > rank(o, bin.leg)) bin.leg = leg;
}

function rank(o, leg) {
  const { call } = leg;
  return (o.search.found.has(call) ? 8 : 0) + 2 * call.weight + (leg.ending === LOST ? 1 : 0);
}

/** Paints the strokes, those of the same style in one go: a path each would take too long. */
function paintStrokes(o, strokes) {
  const styles = new Map();
  for (const stroke of strokes) {
    const { leg } = stroke;
    const key = styleOf(o, leg);
    if (!styles.has(key)) styles.set(key, { leg, strokes: [] });
    styles.get(key).strokes.push(stroke);
  }
  const order = [...styles].sort((a, b) => a[0] - b[0]);
  for (const [key, style] of order) paintStyle(o, style, Math.floor(key / 1000));
  paintCounts(o, strokes);
}

/** A number that is the same for legs that look alike, in the order in which they are painted. */
function styleOf(o, leg) {
  const { call } = leg;
  const isFound = o.search.isOn && o.search.found.has(call);
  let level = call.weight;
  if (o.view.idle === "show") level = EFFECTIVE;
  if (o.search.isOn && !isFound) level = 0;
  if (isFound) level = 3;
  return level * 1000 + methodColour(o.model, call.method) * 10 + (leg.isReply && !o.isMass ? 1 : 0);
}

/** The place of a method in the palette: stable within the run. */
function methodColour(model, method) {
  model.methodPlaces ??= new Map([...model.methods.keys()].map((name, i) => [name, i % 8]));
  return model.methodPlaces.get(method) ?? 7;
}

const ALPHA = [0.18, 0.5, 0.95, 1];

function paintStyle(o, { leg, strokes }, level) {
  const { g, ink } = o;
  const colour = level === 3 ? ink.pick : ink.methods[methodColour(o.model, leg.call.method)];
  g.globalAlpha = o.isMass && level < 3 ? ALPHA[level] * 0.45 : ALPHA[level];
  g.strokeStyle = colour;
  g.fillStyle = colour;
  g.lineWidth = level === 3 ? 2.2 : level === 2 ? 1.3 : 1;
  g.setLineDash(leg.isReply && !o.isCrowd ? [4, 3] : []); // Dashes cost more than all the rest.
  g.beginPath();
  for (const stroke of strokes) {
    place(o, stroke);
    g.moveTo(stroke.x1, stroke.y1);
    g.lineTo(stroke.x2, stroke.y2);
  }
  g.stroke();
  g.setLineDash([]);
  paintEnds(o, strokes, level);
  g.globalAlpha = 1;
}

/** Where a leg begins and ends. */
function place(o, stroke) {
  const { leg } = stroke;
  const [y1, y2] = [o.yOf[leg.from], o.yOf[leg.to]];
  const down = Math.sign(y2 - y1);
  const x2 = o.x(leg.stop);
  const part = leg.ending === ARRIVES ? 1 : leg.ending === LOST ? 0.5 : Math.min(0.3, 16 / Math.abs(y2 - y1));
  stroke.x1 = o.x(leg.start);
  stroke.y1 = y1 + 6 * down;
  stroke.x2 = stroke.x1 + (x2 - stroke.x1) * part;
  stroke.y2 = part === 1 ? y2 - 6 * down : y1 + (y2 - y1) * part;
  o.targets.push({ kind: "call", item: leg.call, ...endsOf(stroke) });
}

function endsOf({ x1, y1, x2, y2 }) {
  return { x1, y1, x2, y2 };
}

/** Heads of arrows, and crosses: bold for a loss on the way, pale for an unreachable receiver. */
function paintEnds(o, strokes, level) {
  const { g, ink } = o;
  if (o.isMass && level < 3) return;
  g.beginPath();
  for (const { leg, x1, y1, x2, y2 } of strokes) {
    if (leg.ending === ARRIVES && level > 0) head(g, x1, y1, x2, y2, 6);
  }
  g.fill();
  for (const [ending, colour, size] of [[LOST, ink.bad, 4], [REFUSED, ink.muted, 2.5]]) {
    g.beginPath();
    for (const { leg, x2, y2 } of strokes) if (leg.ending === ending) cross(g, x2, y2, size);
    g.strokeStyle = colour;
    g.lineWidth = 1.6;
    g.globalAlpha = Math.max(ending === LOST ? 0.6 : 0.45, ALPHA[level]);
    g.stroke();
  }
}

/** The number of messages that a stroke stands for. */
function paintCounts(o, strokes) {
  const { g, ink } = o;
  if (o.isMass) return;
  g.font = ink.small;
  g.textAlign = "left";
  const free = new Map();
  for (const { leg, count, x1, y1, y2 } of strokes) {
    if (count < 10) continue;
    const row = o.rowOf[leg.from] * o.rows.length + o.rowOf[leg.to];
    if (x1 < (free.get(row) ?? -Infinity)) continue;
    haloed(g, `\u00d7${count}`, x1 + 3, y1 + (y2 - y1) * 0.3, ink.muted, ink.paper);
    free.set(row, x1 + 60);
  }
}

/** A call that is hovered or pinned: both of its legs, thick. */
function drawChosenCall(o, call) {
  const { g, ink } = o;
  g.strokeStyle = ink.pick;
  g.fillStyle = ink.pick;
  g.lineWidth = 3;
  for (const leg of [requestLeg(call), replyLeg(call)]) {
    if (!leg || o.yOf[leg.from] === null || o.yOf[leg.to] === null) continue;
    const stroke = { leg };
    place(o, stroke);
    g.setLineDash(leg.isReply ? [6, 4] : []);
    g.beginPath();
    g.moveTo(stroke.x1, stroke.y1);
    g.lineTo(stroke.x2, stroke.y2);
    g.stroke();
    g.setLineDash([]);
    g.beginPath();
    if (leg.ending === ARRIVES) head(g, stroke.x1, stroke.y1, stroke.x2, stroke.y2, 9);
    else cross(g, stroke.x2, stroke.y2, 5);
    g.fill();
    g.stroke();
  }
}
