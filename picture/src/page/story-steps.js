// What becomes a step of the story, and which steps an arrow joins.

/** All steps, in order: `{at, kind, item, lane, isQuiet}`. */
function listSteps(story) {
  const { model, view } = story;
  const steps = [];
  const add = (at, kind, item, lane, isQuiet = false) => steps.push({ at, kind, item, lane, isQuiet });
  for (const call of model.calls) {
    if (view.isHiddenCall(call) || (call.weight === IDLE && view.idle !== "show")) continue;
    stepsOfCall(call, add);
  }
  for (const log of model.logs) {
    if (!view.isHiddenLog(log)) add(log.at, "log", log, log.lane);
  }
  if (!view.hidden.kind.has("faults")) {
    for (const fault of model.faults) add(fault.at, "fault", fault, null);
  }
  if (!view.hidden.kind.has("accidents")) {
    for (const accident of model.accidents) add(accident.at, "accident", accident, null);
  }
  if (!view.hidden.kind.has("stalls")) {
    for (const stall of model.stalls) {
      if (isToldOnItsOwn(stall) && !view.isHiddenLane(stall.lane)) add(stall.at, "stall", stall, stall.lane);
    }
  }
  if (!view.hidden.kind.has("operations")) {
    for (const operation of model.operations) {
      if (view.isHiddenLane(operation.lane)) continue;
      add(operation.from, "begin", operation, operation.lane);
      if (operation.to !== Infinity) add(operation.to, "complete", operation, operation.lane);
    }
  }
  if (model.violation) {
    add(model.violation.at, "violation", model.violation, null);
    if (model.moment !== model.violation.at) add(model.moment, "mistake", model.violation, null);
  }
  return steps.sort((a, b) => a.at - b.at || STEP_ORDER[a.kind] - STEP_ORDER[b.kind]);
}

/** The order at the same moment: what is done to a server comes before what it does. */
const STEP_ORDER = {
  accident: 0, fault: 0, stall: 0, reply: 1, arrive: 2, complete: 3, log: 4, mistake: 5,
  return: 6, begin: 7, request: 8, lost: 9, violation: 10,
};

function stepsOfCall(call, add) {
  add(call.sent, "request", call, call.from);
  if (call.arrived !== null) add(call.arrived, "arrive", call, call.to, true);
  if (call.returned !== null) add(call.returned, "return", call, call.to, isPlain(call.reply));
  if (call.answered !== null) add(call.answered, "reply", call, call.from, true);
  const isLate = call.lost !== null && call.lostAt > (call.returned ?? call.arrived ?? call.sent);
  if (isLate && call.arrived !== null) add(call.lostAt, "lost", call, call.to);
}

/** Whether a reply says nothing. */
function isPlain(text) {
  return text === "" || text === "()" || text === null;
}

/** Arrows between steps, as legs whose times are heights. */
function listArrows(steps) {
  const arrows = [];
  const open = new Map();
  for (const step of steps) {
    const call = step.item;
    if (step.kind === "request" || step.kind === "return") {
      const leg = step.kind === "request" ? requestLeg(call) : replyLeg(call);
      Object.assign(leg, { start: step.y, stop: step.y + HALF });
      arrows.push(leg);
      open.set(call, leg);
    } else if ((step.kind === "arrive" || step.kind === "reply") && open.has(call)) {
      open.get(call).stop = step.y;
    }
  }
  return arrows;
}
