// The strokes of calls: a request and a reply each. A lost one ends half-way; one that cannot even
// leave, because the receiver is unreachable, is a stub. Waiting is never drawn as a stroke.

/** How a leg ends. */
const ARRIVES = 0;
/** Lost on its way: a cross half-way. */
const LOST = 1;
/** The receiver was down or unreachable: a stub with a pale cross. */
const REFUSED = 2;
/** Still under way when the recording ended. */
const OPEN = 3;

/** The slope of a stroke that never arrived, in microseconds. */
const USUAL_LATENCY = 500;

/** All legs, sorted by their beginning: `{call, isReply, from, to, start, stop, ending}`. */
function buildLegs(calls) {
  const legs = [];
  for (const call of calls) {
    legs.push(requestLeg(call));
    const reply = replyLeg(call);
    if (reply) legs.push(reply);
  }
  return legs.sort((a, b) => a.start - b.start);
}

function requestLeg(call) {
  const leg = { call, isReply: false, from: call.from, to: call.to, start: call.sent };
  if (call.arrived !== null) return Object.assign(leg, { stop: call.arrived, ending: ARRIVES });
  const isRefused = call.lost === "unreachable" || call.lost === "gone";
  const ending = isRefused ? REFUSED : call.lost === null ? OPEN : LOST;
  return Object.assign(leg, { stop: call.sent + USUAL_LATENCY, ending });
}

/** The reply; nothing if the handler did not return and nothing is known of its end. */
function replyLeg(call) {
  if (call.arrived === null) return null;
  const leg = { call, isReply: true, from: call.to, to: call.from };
  if (call.returned === null) {
    if (call.lost === null) return null;
    return Object.assign(leg, { start: call.lostAt, stop: call.lostAt, ending: REFUSED });
  }
  leg.start = call.returned;
  if (call.answered !== null) return Object.assign(leg, { stop: call.answered, ending: ARRIVES });
  const stop = call.returned + USUAL_LATENCY;
  return Object.assign(leg, { stop, ending: call.lost === null ? OPEN : LOST });
}

/** Finds the legs that touch a window of time without looking at all of them. */
class LegIndex {
  constructor(legs) {
    this.legs = legs;
    this.latest = new Float64Array(legs.length);
    let latest = -Infinity;
    legs.forEach((leg, i) => {
      latest = Math.max(latest, leg.stop);
      this.latest[i] = latest;
    });
  }

  /** The positions of beginnings on a scale. */
  positions(scale) {
    if (this.scale !== scale) {
      this.scale = scale;
      this.starts = positionsOf(scale, this.legs, (leg) => leg.start);
    }
    return this.starts;
  }

  /** The places of the first leg that may touch the window, and of the first one after it. */
  range(from, to) {
    return [firstAtLeast(this.latest, from), firstWhere(this.legs.length, (i) => this.legs[i].start > to)];
  }
}

/** The positions of items on a scale: looked up once, since every frame needs them. */
function positionsOf(scale, items, time) {
  const positions = new Float64Array(items.length);
  items.forEach((item, i) => {
    positions[i] = scale.position(time(item));
  });
  return positions;
}

/** The first place of a sorted array whose value is at least `bound`. */
function firstAtLeast(array, bound) {
  return firstWhere(array.length, (i) => array[i] >= bound);
}

/** The first of `count` places at which a condition that stays true begins to hold. */
function firstWhere(count, holds) {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
