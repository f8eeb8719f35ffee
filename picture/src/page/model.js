// What happened in the run: lanes, calls, log lines, faults, operations, and the failure. Built once
// from the recording; nothing here knows how it is drawn.
//
// Times are microseconds of virtual time. A lane is a server or a client, named by its index.

/** A stall that lasts as long as this is an event of its own. */
const LONG_STALL = 10_000;

class Model {
  constructor(events) {
    this.run = {};
    this.end = {};
    /** `{name, kind: "server" | "client" | "test"}`. */
    this.lanes = [];
    /** Sorted by the time of the request. */
    this.calls = [];
    /** `{at, lane, topic, text, call}`. */
    this.logs = [];
    /** `{at, verb, lanes, sides, text}`: faults, changes of the network, notes. */
    this.faults = [];
    /** Those of a run in which everything else was calm: `{at, number, id, what, lane, call, text}`. */
    this.accidents = [];
    /** Pauses of single tasks: as faults, with `lane`, `micros` and `isAccident`. */
    this.stalls = [];
    /** `{id, lane, from, to, text, result}`: `to` is Infinity if it never ended. */
    this.operations = [];
    this.shards = [];
    this.violation = null;
    this.duration = 1;
    this.eventCount = events.length;
    this.laneOf = new Map();
    this.nameLanes(events);
    this.readers = new Readers(this);
    for (const event of events) this.readers.read(event);
    this.duration = Math.max(1, this.duration, this.end.at ?? 0);
    this.bands = buildBands(this, events);
    weighCalls(this);
    this.methods = countBy(this.calls, (call) => call.method);
    this.topics = countBy(this.logs, (log) => log.topic);
    this.marks = this.listMarks();
  }

  /** Servers in the order of their names, then clients, then the test itself. */
  nameLanes(events) {
    const servers = new Set();
    const others = new Set();
    for (const event of events) {
      if (event.kind === "request") {
        servers.add(event.to);
        others.add(event.from || ownerOf(event.end));
      }
      if (event.kind === "state") servers.add(event.server);
      if (event.kind === "begin") others.add(event.client);
      if (event.kind === "log") others.add(event.node);
      if (event.kind === "fault") event.servers?.forEach((node) => others.add(node));
    }
    const byName = (a, b) => a.localeCompare(b, "en", { numeric: true });
    const clients = [...others].filter((name) => name && !servers.has(name));
    const add = (names, kind) => {
      for (const name of [...names].filter(Boolean).sort(byName)) {
        this.laneOf.set(name, this.lanes.length);
        this.lanes.push({ name, kind, index: this.lanes.length });
      }
    };
    servers.delete("test");
    add(servers, "server");
    add(clients.filter((name) => name !== "test"), "client");
    // In the tests of Raft the test itself is the client.
    const isClient = events.some((event) => event.kind === "begin" && event.client === "test");
    add(others.has("test") || servers.has("test") ? ["test"] : [], isClient ? "client" : "test");
  }

  /** Log lines, faults and the failure, in order: what the list shows and keys step through. */
  listMarks() {
    const marks = [];
    for (const log of this.logs) marks.push({ at: log.at, kind: "log", item: log });
    for (const fault of this.faults) marks.push({ at: fault.at, kind: "fault", item: fault });
    for (const stall of this.stalls) {
      if (isToldOnItsOwn(stall)) marks.push({ at: stall.at, kind: "fault", item: stall });
    }
    for (const accident of this.accidents) marks.push({ at: accident.at, kind: "accident", item: accident });
    if (this.violation) {
      const both = new Set([this.moment, this.violation.at]);
      both.forEach((at) => marks.push({ at, kind: "violation", item: this.violation }));
    }
    return marks.sort((a, b) => a.at - b.at);
  }

  /** The moment to look at: that of the mistake if the test knows it, else that of the failure. */
  get moment() {
    const culprit = this.violation?.culprit;
    if (culprit?.at !== undefined) return culprit.at;
    return this.illegal?.to ?? this.violation?.at ?? this.duration;
  }

  /** The operations that a violation names, and the time that they span; null if it names none. */
  get illegal() {
    const ids = new Set(this.violation?.culprit?.operations ?? []);
    const operations = this.operations.filter((it) => ids.has(it.id));
    if (operations.length === 0) return null;
    const from = Math.min(...operations.map((it) => it.from));
    const to = Math.max(...operations.map((it) => Math.min(it.to, this.duration)));
    return { operations, from, to };
  }

  laneName(lane) {
    return this.lanes[lane]?.name ?? "test";
  }
}

/** Whether a stall is told as an event of its own, and not as an accident. */
function isToldOnItsOwn(stall) {
  return stall.micros >= LONG_STALL && !stall.isAccident;
}

/** The owner of an end, from its name: `C3>S2`, `S0.1>S1`. */
function ownerOf(end) {
  return (end ?? "").split(/[.>]/)[0];
}

/** The keys of the items, most frequent first, with their number. */
function countBy(items, key) {
  const counts = new Map();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return new Map([...counts].sort((a, b) => b[1] - a[1]));
}
