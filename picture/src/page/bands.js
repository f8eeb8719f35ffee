// The state of every server over time: term, role, whether it is down, cut off, or on a side of a
// partition. The harness asks servers now and then, so its word may come late: a line of the log
// that names a term (`S4@6 leads`) comes at the right moment and wins until then.

const UNKNOWN = { term: null, role: null, up: true, cut: false, side: null, applied: null };

/** For each lane the stretches of equal state: `{from, to, term, role, up, cut, side, applied}`. */
function buildBands(model, events) {
  const builders = model.lanes.map(() => new BandBuilder());
  const at = (name) => builders[model.laneOf.get(name)];
  for (const event of events) {
    if (event.kind === "state") at(event.server)?.change(event.at, ofState(event));
    else if (event.kind === "fault") ofFault(event, at, builders);
    else if (event.kind === "log") {
      const patch = ofLog(event);
      if (patch) at(event.node)?.change(event.at, patch);
    }
  }
  return builders.map((builder) => builder.finish(model.duration));
}

/** What the monitor saw of the protocol. Faults tell exactly when a server is down or cut off. */
function ofState(event) {
  const patch = {};
  if (event.term !== undefined) patch.term = event.term;
  if (event.term !== undefined || event.role !== undefined) patch.role = event.role ?? "follower";
  if (event.applied !== undefined) patch.applied = event.applied;
  return patch;
}

/** What a line of the log says of the server that wrote it. */
function ofLog(event) {
  const [, term, rest] = /^S\d+@(\d+)\b(.*)/s.exec(event.text ?? "") ?? [];
  if (term === undefined) return null;
  const patch = { term: Number(term) };
  if (event.topic === "LEAD" && /\b(leads|leader)\b/i.test(rest)) patch.role = "leader";
  else if (/\bstands for\b|\bcandidate\b/i.test(rest) && event.topic === "VOTE") patch.role = "candidate";
  else if (/\bfollows\b|\bsteps down\b/i.test(rest)) patch.role = "follower";
  return patch;
}

/** What a fault does to servers. */
function ofFault(event, at, builders) {
  const servers = (event.servers ?? []).map(at).filter(Boolean);
  const all = (patch) => servers.forEach((builder) => builder.change(event.at, patch));
  switch (event.verb) {
    case "crash":
    case "kill":
    case "shutdown":
      return all({ up: false, term: null, role: null });
    case "start":
      // It is connected separately; in the preparation that takes no time.
      return all({ up: true, term: null, role: null, cut: event.at >= PREPARATION });
    case "connect":
      return all({ cut: false });
    case "disconnect":
      return all({ cut: true });
    case "partition":
      event.sides?.forEach((side, index) => {
        side.map(at).forEach((builder) => builder?.change(event.at, { side: index }));
      });
      return undefined;
    case "heal":
      // Without names, all links are mended.
      return (servers.length > 0 ? servers : builders).forEach((it) => it.change(event.at, { side: null }));
    default:
      return undefined;
  }
}

/** Joins changes to stretches. */
class BandBuilder {
  constructor() {
    this.done = [];
    this.now = { ...UNKNOWN, from: 0 };
  }

  change(at, patch) {
    const next = { ...this.now, ...patch, from: at };
    if (patch.term > this.now.term && patch.role === undefined) next.role = "follower";
    if (["term", "role", "up", "cut", "side"].every((key) => next[key] === this.now[key])) {
      this.now.applied = next.applied;
      return;
    }
    if (at > this.now.from) this.done.push({ ...this.now, to: at });
    this.now = next;
  }

  finish(end) {
    this.done.push({ ...this.now, to: Math.max(end, this.now.from) });
    return this.done;
  }
}

/** The stretch of a lane at a time. */
function bandAt(bands, at) {
  let low = 0;
  let high = bands.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (bands[middle].from <= at) low = middle;
    else high = middle - 1;
  }
  return bands[low];
}

/** A stretch in words: `leader T3, cut off`. */
function bandText(band) {
  if (!band.up) return "down";
  const words = [];
  if (band.role === "leader") words.push("LEADER");
  if (band.role === "candidate") words.push("candidate");
  if (band.term !== null) words.push(`T${band.term}`);
  if (band.cut) words.push("cut off");
  if (band.side !== null) words.push(`side ${"ABCDEFGH"[band.side] ?? band.side}`);
  return words.join(" ");
}
