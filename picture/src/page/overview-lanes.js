// What lies on the lanes of the overview: bands of state, operations of clients, log lines.

/** More log lines than these are ticks below the band. */
const DOTS = 700;
/** More log lines than these are dots, without their text. */
const TEXTS = 300;
/** Heights of bands: a leader is thicker, so that it is seen without colour. */
const BAND = 11;
const LEADER = 19;

function drawBands(o) {
  for (const row of o.rows) {
    if (row.lanes.length > 1 || row.lanes[0].kind !== "server") {
      o.g.fillStyle = o.ink.rule;
      o.g.fillRect(o.left, row.y - 0.5, o.right - o.left, 1);
      continue;
    }
    for (const band of o.model.bands[row.lanes[0].index]) drawBand(o, band, row.y);
  }
}

function drawBand(o, band, y) {
  if (band.to < o.from || band.from > o.to) return;
  const { g, ink } = o;
  const x1 = Math.max(o.x(band.from), o.left - 2);
  const x2 = Math.min(o.x(band.to), o.right + 12);
  const width = Math.max(1, x2 - x1);
  const height = band.role === "leader" ? LEADER : BAND;
  const top = y - height / 2;
  g.fillStyle = ink.band(band);
  g.fillRect(x1, top, width, height);
  if (band.role === "candidate") {
    g.strokeStyle = ink.ink;
    g.lineWidth = 1;
    g.setLineDash([2, 2]);
    g.strokeRect(x1 + 0.5, top + 0.5, width - 1, height - 1);
    g.setLineDash([]);
  }
  if (band.cut) drawRim(o, x1, width, top, height, ink.bad, [6, 3]);
  else if (band.side !== null) drawRim(o, x1, width, top, height, ink.methods[(band.side * 3 + 1) % 8], []);
}

/** The state in words, above the band, or on it if lanes are close. */
function drawBandLabels(o) {
  const { g, ink } = o;
  const isInside = o.gap < NARROW;
  g.textAlign = "left";
  for (const row of o.rows.filter(({ lanes }) => lanes.length === 1 && lanes[0].kind === "server")) {
    for (const band of o.model.bands[row.lanes[0].index]) {
      if (band.to < o.from || band.from > o.to) continue;
      const x = Math.max(o.x(band.from), o.left);
      const text = bandText(band);
      if (!text || Math.min(o.x(band.to), o.right + 12) - x < text.length * 7 + 6) continue;
      g.font = band.role === "leader" ? ink.bold : ink.small;
      const height = band.role === "leader" ? LEADER : BAND;
      const rim = band.cut || band.side !== null ? 4 : 0;
      if (isInside) {
        g.fillStyle = band.up ? ink.ink : "#fff";
        g.fillText(text, x + 4, row.y + 0.5);
      } else {
        haloed(g, text, x + 2, row.y - height / 2 - 8 - rim, ink.ink, ink.paper);
      }
    }
  }
}

/** Lines above and below a band: dashed if the server is cut off, solid for a side. */
function drawRim(o, x, width, top, height, colour, dash) {
  const { g } = o;
  g.strokeStyle = colour;
  g.lineWidth = 2.5;
  g.setLineDash(dash);
  g.beginPath();
  for (const y of [top - 2.5, top + height + 2.5]) {
    g.moveTo(x, y);
    g.lineTo(x + width, y);
  }
  g.stroke();
  g.setLineDash([]);
}

/** The operations of clients, as bars. Those that a violation names are lit. */
function drawOperations(o) {
  const { model, search } = o;
  if (o.view.hidden.kind.has("operations")) return;
  const guilty = new Set(model.violation?.culprit?.operations ?? []);
  const rows = new Map();
  /** The last pixel of each lane that has a bar: more bars there would change nothing. */
  const drawn = new Map();
  o.g.font = o.ink.mono;
  o.g.textAlign = "left";
  for (const operation of model.operations) {
    if (operation.from > o.to) break;
    const y = o.yOf[operation.lane];
    const end = Math.min(operation.to, model.duration);
    if (y === null || y === undefined || end < o.from) continue;
    const [x1, x2] = [Math.max(o.left - 4, o.x(operation.from)), Math.min(o.right + 12, o.x(end))];
    const isChosen = isSelected(o.view, operation);
    const isFound = isChosen || (search.isOn && search.found.has(operation));
    const look = { isGuilty: guilty.has(operation.id), isFound };
    if (!look.isGuilty && !look.isFound && x2 < (drawn.get(operation.lane) ?? -9) + 2) continue;
    drawn.set(operation.lane, x2);
    const isShared = o.isShared[operation.lane];
    const row = isShared ? freeRow(rows, x1, x2, Math.max(1, Math.floor((0.8 * o.gap) / 11))) : 0;
    const [height, width] = [isShared ? 9 : 15, Math.max(2, x2 - x1)];
    const top = isShared ? y - 8 + row * 11 : y - height / 2;
    drawOperation(o, operation, { x1, top, width, height, ...look });
    const target = { x1, y1: top + height / 2, x2: x1 + width, y2: top + height / 2 };
    o.targets.push({ kind: "operation", item: operation, ...target });
  }
}

function drawOperation(o, operation, { x1, top, width, height, isGuilty, isFound }) {
  const { g, ink } = o;
  g.globalAlpha = o.search.isOn && !isFound ? 0.3 : 1;
  g.fillStyle = isGuilty ? ink.bad : ink.tint;
  g.strokeStyle = isFound ? ink.pick : isGuilty ? ink.bad : ink.muted;
  g.lineWidth = isFound ? 3 : isGuilty ? 2 : 1;
  g.fillRect(x1, top, width, height);
  if (operation.to === Infinity) g.setLineDash([3, 2]);
  if (width > 3) g.strokeRect(x1 + 0.5, top + 0.5, width - 1, height - 1);
  else g.strokeRect(x1, top, 0.5, height);
  g.setLineDash([]);
  const text = height > 10 && width > 40 ? fitted(operationText(operation), width - 8) : "";
  g.fillStyle = isGuilty ? ink.paper : ink.ink;
  if (text) g.fillText(text, x1 + 4, top + height / 2 + 0.5);
  g.globalAlpha = 1;
}

/** The first of `count` rows in which a bar has room. */
function freeRow(rows, x1, x2, count) {
  for (let row = 0; ; row++) {
    if (row < count - 1 && (rows.get(row) ?? -Infinity) > x1) continue;
    rows.set(row, x2 + 1);
    return row;
  }
}

function operationText(operation) {
  return operation.result ? `${operation.text} \u2192 ${operation.result}` : operation.text;
}

/** Pauses of tasks: a line of zigzag below the band. */
function drawStalls(o) {
  const { g, ink } = o;
  if (o.view.hidden.kind.has("stalls")) return;
  g.strokeStyle = ink.warn;
  g.lineWidth = 1.5;
  g.beginPath();
  for (const stall of o.model.stalls) {
    const y = (o.yOf[stall.lane] ?? -99) + BAND / 2 + 4;
    if (stall.at > o.to) break;
    if (y < 0 || stall.at + stall.micros < o.from) continue;
    const [x1, x2] = [o.x(stall.at), o.x(Math.min(stall.at + stall.micros, o.model.duration))];
    if (x2 - x1 < 3) continue;
    for (let x = x1, i = 0; x <= x2; x += 3, i++) {
      if (i === 0) g.moveTo(x, y);
      else g.lineTo(x, y + (i % 2 === 0 ? 0 : 3));
    }
    o.targets.push({ kind: "fault", item: stall, x1, y1: y + 1, x2, y2: y + 1 });
  }
  g.stroke();
}

/** Log lines: a dot on the lane, and the text below it where there is room. */
function drawLogs(o) {
  const { g, ink, model, search } = o;
  const first = firstWhere(model.logs.length, (i) => model.logs[i].at >= o.from);
  const last = firstWhere(model.logs.length, (i) => model.logs[i].at > o.to);
  const isCrowd = last - first > DOTS || o.gap < NARROW;
  const rows = last - first > TEXTS || o.gap < NARROW ? 0 : o.gap > 95 ? 4 : o.gap > 70 ? 3 : o.gap > 56 ? 2 : 1;
  const positions = o.logPositions();
  const free = new Map();
  const dots = new Map();
  g.font = ink.mono;
  g.textAlign = "left";
  for (let i = first; i < last; i++) {
    const log = model.logs[i];
    const y = o.yOf[log.lane];
    if (y === null || y === undefined || o.view.isHiddenLog(log)) continue;
    const x = o.xOf(positions[i]);
    const isFound = search.isOn && search.found.has(log);
    if (x - (dots.get(log.lane) ?? -9) > 2 || isFound) {
      g.fillStyle = isFound ? ink.pick : ink.ink;
      if (isCrowd && !isFound) {
        g.fillRect(x - 0.5, y + BAND / 2 + 1, 1, 5);
      } else {
        g.beginPath();
        g.arc(x, y, isFound ? 4.5 : 2.6, 0, 7);
        g.fill();
      }
      dots.set(log.lane, x);
      o.targets.push({ kind: "log", item: log, x1: x, y1: y, x2: x, y2: y });
    }
    for (let row = 0; row < rows; row++) {
      const key = log.lane * 8 + row;
      if (x < (free.get(key) ?? -Infinity)) continue;
      const text = `${log.topic} ${log.text}`;
      const shown = text.length > 44 ? `${text.slice(0, 43)}\u2026` : text;
      haloed(g, shown, x, y + 20 + row * 13, isFound ? ink.pick : topicColour(o, log.topic), ink.paper);
      free.set(key, x + (shown.length + 1) * MONO_WIDTH);
      break;
    }
  }
}

/** The colour of a topic: stable within the run. The topic's name always stands beside it. */
function topicColour(o, topic) {
  o.model.topicPlaces ??= new Map([...o.model.topics.keys()].map((name, i) => [name, (i + 3) % 8]));
  return o.ink.methods[o.model.topicPlaces.get(topic) ?? 7];
}
