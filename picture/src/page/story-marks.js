// Arrows, texts and operations of the story.

function drawArrows(story) {
  const { g, ink, model, search } = story;
  const { legs } = story.arrows;
  const [first, last] = story.arrows.range(story.top - ROW, story.bottom + ROW);
  for (let i = first; i < last; i++) {
    const leg = legs[i];
    const [x1, x2] = [story.xOf[leg.from], story.xOf[leg.to]];
    if (x1 === null || x2 === null || leg.stop < story.top) continue;
    const isChosen = isSelected(story.view, leg.call);
    const isFound = search.isOn && search.found.has(leg.call);
    const colour = isChosen || isFound ? ink.pick : ink.methods[methodColour(model, leg.call.method)];
    g.strokeStyle = colour;
    g.fillStyle = colour;
    const isDim = search.isOn && !isFound && !isChosen;
    g.globalAlpha = isDim ? 0.25 : leg.call.weight !== EFFECTIVE ? 0.5 : leg.isReply ? 0.75 : 1;
    g.lineWidth = isChosen ? 3 : isFound ? 2.2 : leg.isReply ? 1.1 : 1.6;
    drawArrow(story, leg, x1, x2);
    g.globalAlpha = 1;
  }
}

function isSelected(view, item) {
  return view.pinned?.item === item || view.hovered?.item === item;
}

function drawArrow(story, leg, x1, x2) {
  const { g, ink } = story;
  const side = Math.sign(x2 - x1) || 1;
  const part = leg.ending === ARRIVES ? 1 : leg.ending === LOST ? 0.5 : Math.min(0.4, 40 / Math.abs(x2 - x1));
  const from = x1 + 9 * side;
  const to = part === 1 ? x2 - 9 * side : x1 + (x2 - x1) * part;
  const stop = leg.start + (leg.stop - leg.start) * part;
  g.setLineDash(leg.isReply ? [5, 3] : []);
  g.beginPath();
  g.moveTo(from, leg.start);
  g.lineTo(to, stop);
  g.stroke();
  g.setLineDash([]);
  g.beginPath();
  if (leg.ending === ARRIVES) {
    head(g, from, leg.start, to, stop, 8);
    g.fill();
  } else if (leg.ending !== OPEN) {
    cross(g, to, stop, leg.ending === LOST ? 5 : 3.5);
    g.strokeStyle = leg.ending === LOST ? ink.bad : ink.muted;
    g.lineWidth = 2;
    g.stroke();
  }
  story.targets.push({ kind: "call", item: leg.call, x1: from, y1: leg.start, x2: to, y2: stop });
}

/** The text of each step, in its own row. */
function drawTexts(story) {
  const { g, ink, steps } = story;
  const first = firstWhere(steps.length, (i) => steps[i].y >= story.top - ROW);
  g.font = ink.mono;
  for (let i = first; i < steps.length && steps[i].y < story.bottom + ROW; i++) {
    const step = steps[i];
    if (step.kind === "violation" || step.kind === "mistake") drawFailureText(story, step);
    else if (step.kind === "fault") drawFaultText(story, step);
    else if (step.kind === "accident") drawAccidentText(story, step);
    else if (step.lane !== undefined && story.xOf[step.lane] !== null) drawStepText(story, step);
  }
}

/** What a step's item is. */
const ITEM_KINDS = { stall: "fault", log: "log", begin: "operation", complete: "operation" };

function drawStepText(story, step) {
  const { g, ink, search } = story;
  const call = step.item;
  const x = story.xOf[step.lane];
  const hasOther = ["request", "return", "lost"].includes(step.kind);
  const other = hasOther ? story.xOf[step.kind === "request" ? call.to : call.from] : null;
  const isLeft = other !== null && other < x;
  const text = textOfStep(story, step);
  const isChosen = isSelected(story.view, step.item);
  const isFound = search.isOn && search.found.has(step.item);
  if (step.kind === "log" || isChosen || isFound) {
    g.fillStyle = isChosen || isFound ? ink.pick : ink.ink;
    g.beginPath();
    g.arc(x, step.y, isChosen || isFound ? 5 : 3.2, 0, 7);
    g.fill();
  }
  if (!text) return;
  const room = isLeft ? x - GUTTER - 8 : story.width - x - 20;
  const most = step.kind === "log" ? 320 : Math.max(240, Math.abs((other ?? x) - x) - 24);
  const shown = fitted(text, Math.min(room, most));
  g.textAlign = isLeft ? "right" : "left";
  g.globalAlpha = search.isOn && !isFound && !isChosen ? 0.5 : 1;
  const at = x + (isLeft ? -16 : 16);
  haloed(g, shown, at, step.y - (other === null ? 0 : 4), colourOfStep(story, step, isChosen || isFound), ink.paper);
  g.globalAlpha = 1;
  const end = at + (isLeft ? -1 : 1) * shown.length * MONO_WIDTH;
  const kind = ITEM_KINDS[step.kind] ?? "call";
  story.targets.push({ kind, item: step.item, x1: x, y1: step.y, x2: end, y2: step.y });
}

function textOfStep(story, { kind, item, lane }) {
  const who = story.isShared[lane] ? `${story.model.laneName(lane)} ` : "";
  switch (kind) {
    case "request":
      return `${who}${item.method} ${brief(item.args)}${item.arrived === null && item.lost ? `  (${lossText(item)})` : ""}`;
    case "return":
      return isPlain(item.reply) ? "" : `\u2192 ${brief(item.reply)}`;
    case "lost":
      return `${lossText(item)}`;
    case "log":
      return `${item.topic} ${item.text}`;
    case "stall":
      return item.text;
    case "begin":
      return `${who}${item.text}`;
    case "complete":
      return `${who}${item.text} \u2192 ${item.result ?? ""}`;
    default:
      return "";
  }
}

/** A value without the name of its type, which the method says already, and of long numbers the end. */
function brief(text) {
  return text.replace(/^\w+ \{ (.*?)( \})?$/s, "$1").replace(/\d{8,}(\d{4})/g, "\u2026$1");
}

/** Why a message was lost, in words. */
function lossText(call) {
  const words = {
    request: "request lost",
    reply: "reply lost",
    unreachable: "unreachable",
    gone: "the server was gone on arrival",
    cut: "the path was cut",
  };
  return words[call.lost] ?? call.lost;
}

function colourOfStep({ ink, model }, { kind, item }, isMarked) {
  if (isMarked) return ink.pick;
  if (kind === "log") return topicColour({ ink, model }, item.topic);
  if (kind === "lost") return ink.bad;
  if (kind === "stall") return ink.warn;
  if (kind === "begin" || kind === "complete") {
    return model.violation?.culprit?.operations?.includes(item.id) ? ink.bad : ink.ink;
  }
  return kind === "return" ? ink.muted : ink.methods[methodColour(model, item.method)];
}

function drawFaultText(story, step) {
  const { g, ink } = story;
  g.textAlign = "left";
  const mark = step.item.verb === "note" ? "" : "! ";
  const isChosen = isSelected(story.view, step.item) || story.search.found.has(step.item);
  haloed(g, mark + step.item.text, GUTTER + 4, step.y - 1, isChosen ? ink.pick : ink.warn, ink.paper);
  for (const lane of step.item.lanes) {
    if (story.xOf[lane] === null) continue;
    g.fillStyle = ink.warn;
    g.fillRect(story.xOf[lane] - 10, step.y - 3, 20, 6);
  }
  story.targets.push({ kind: "fault", item: step.item, x1: GUTTER, y1: step.y, x2: GUTTER + 200, y2: step.y });
}

function drawAccidentText(story, { item, y }) {
  const { g, ink } = story;
  const isChosen = isSelected(story.view, item) || story.search.found.has(item);
  const text = fitted(`${accidentName(item)}: ${item.text}`, story.width - GUTTER - 20);
  g.textAlign = "left";
  g.font = ink.mono;
  haloed(g, text, GUTTER + 8, y - 1, isChosen ? ink.pick : ink.bad, ink.paper);
  g.strokeStyle = isChosen ? ink.pick : ink.bad;
  g.lineWidth = 1.2;
  g.strokeRect(GUTTER + 3, y - 9, text.length * MONO_WIDTH + 10, 16);
  const at = story.xOf[item.lane] ?? null;
  if (at !== null) g.strokeRect(at - 12, y - 9, 24, 16);
  story.targets.push({ kind: "accident", item, x1: GUTTER, y1: y, x2: GUTTER + 200, y2: y });
}

function drawFailureText(story, step) {
  const { g, ink } = story;
  g.textAlign = "left";
  g.font = ink.bold;
  const word = step.kind === "mistake" ? "MISTAKE" : "FAILURE";
  haloed(g, `${word}: ${headline(step.item.actual)}`, GUTTER + 4, step.y - 1, ink.bad, ink.paper);
  g.font = ink.mono;
  story.targets.push({ kind: "violation", item: step.item, x1: GUTTER, y1: step.y, x2: GUTTER + 300, y2: step.y });
}

/** Bars beside the clients' lanes while their operations last. */
function drawStoryOperations(story, from, to) {
  const { g, ink, model } = story;
  if (story.view.hidden.kind.has("operations")) return;
  const guilty = new Set(model.violation?.culprit?.operations ?? []);
  for (const operation of model.operations) {
    if (operation.from > to) break;
    const x = story.xOf[operation.lane];
    if (operation.to < from || x === null || x === undefined) continue;
    const y1 = Math.max(story.top - 4, story.yAt(operation.from));
    const y2 = Math.min(story.bottom + 4, story.yAt(Math.min(operation.to, model.duration)));
    const isGuilty = guilty.has(operation.id);
    g.fillStyle = isGuilty ? ink.bad : ink.lane;
    g.fillRect(x - (isGuilty ? 6 : 4), y1, isGuilty ? 12 : 8, Math.max(3, y2 - y1));
    g.strokeStyle = isGuilty ? ink.bad : ink.muted;
    g.lineWidth = 1;
    g.strokeRect(x - (isGuilty ? 6 : 4) + 0.5, y1 + 0.5, isGuilty ? 11 : 7, Math.max(3, y2 - y1) - 1);
  }
}
