// From the events of the recording to the model, one method for each kind of event. Unknown kinds
// are skipped: a later version may have more.

/** What the test does in this time is its preparation: it starts and connects everything. */
const PREPARATION = 1000;

/** Faults that are done to a link, from the caller to the called. */
const OF_LINKS = ["cut", "mend", "hold requests", "hold replies", "pass"];

class Readers {
  constructor(model) {
    this.model = model;
    this.byNumber = new Map();
    this.operations = new Map();
    /** Clients that do not reach all of their servers. */
    this.restricted = new Set();
    this.effects = new Effects();
  }

  read(event) {
    if (event.at > this.model.duration) this.model.duration = event.at;
    this[`on_${event.kind}`]?.(event);
  }

  on_run(event) {
    this.model.run = event;
  }

  on_end(event) {
    this.model.end = event;
  }

  on_request(event) {
    const { model } = this;
    const call = {
      id: event.call,
      end: event.end,
      from: model.laneOf.get(event.from || ownerOf(event.end)),
      to: model.laneOf.get(event.to),
      method: (event.method ?? "?").replace(/^.*\./, ""),
      args: event.args ?? "",
      reply: null,
      bytes: event.bytes,
      sent: event.at,
      arrived: null,
      returned: null,
      answered: null,
      /** Why and when it was lost. */
      lost: null,
      lostAt: null,
      held: 0,
      hasEffect: false,
      /** The log lines of its handler and of the caller on its reply. */
      logs: [],
    };
    if (call.from === undefined || call.to === undefined) return;
    model.calls.push(call);
    this.byNumber.set(call.id, call);
    this.effects.sent(call, event.task);
  }

  on_arrive(event) {
    this.withCall(event, (call) => {
      call.arrived = event.at;
      this.effects.arrived(call, event.task);
    });
  }

  on_return(event) {
    this.withCall(event, (call) => {
      call.returned = event.at;
      call.reply = event.reply ?? "";
      call.replyBytes = event.bytes;
      this.effects.returned(call, event.task);
    });
  }

  on_reply(event) {
    this.withCall(event, (call) => {
      call.answered = event.at;
      this.effects.answered(call);
    });
  }

  on_lost(event) {
    this.withCall(event, (call) => {
      call.lost = event.why;
      call.lostAt = event.at;
    });
  }

  on_held(event) {
    this.withCall(event, (call) => {
      call.held += event.micros ?? 0;
    });
  }

  on_spawn(event) {
    this.effects.spawned(event.task, event.child, event.at);
  }

  on_log(event) {
    const lane = this.model.laneOf.get(event.node);
    const log = { at: event.at, lane, topic: event.topic ?? "", text: event.text ?? "" };
    log.call = this.effects.acted(event.task, event.at);
    log.call?.logs.push(log);
    this.model.logs.push(log);
  }

  on_save(event) {
    this.effects.acted(event.task, event.at);
  }

  on_fault(event) {
    const { at, verb, servers = [], sides, micros } = event;
    if (at < PREPARATION && ["start", "connect", "reach all"].includes(verb)) return;
    if (verb === "reach") this.restricted.add(servers[0]);
    // So it did before.
    if (verb === "reach all" && !this.restricted.delete(servers[0])) return;
    const lanes = servers.map((name) => this.model.laneOf.get(name)).filter((it) => it !== undefined);
    const fault = { at, verb, lanes, sides, micros, text: faultText(event) };
    if (verb !== "stall") return void this.model.faults.push(fault);
    const [lane] = lanes;
    // In a run whose accidents are chosen, the accident comes first and says the same.
    const cause = this.model.accidents.at(-1);
    const isAccident = cause?.what === "stall" && cause.at === at && cause.lane === lane;
    this.model.stalls.push({ ...fault, lane, isAccident });
  }

  on_accident(event) {
    const call = this.byNumber.get(event.call);
    const lane = call ? (event.what.startsWith("reply") ? call.to : call.from) : this.model.laneOf.get(event.node);
    const { at, id, what, text = "" } = event;
    const number = this.model.accidents.length + 1;
    this.model.accidents.push({ at, number, id, what, lane: what === "coin" ? undefined : lane, call, text });
  }

  on_network(event) {
    this.model.faults.push({ at: event.at, verb: "network", lanes: [], text: event.text });
  }

  on_note(event) {
    this.model.faults.push({ at: event.at, verb: "note", lanes: [], text: event.text });
  }

  on_begin(event) {
    const lane = this.model.laneOf.get(event.client);
    const operation = { id: event.operation, lane, client: event.client, key: event.key };
    Object.assign(operation, { from: event.at, to: Infinity, text: event.text ?? "" });
    this.operations.set(event.operation, operation);
    this.model.operations.push(operation);
  }

  on_complete(event) {
    const operation = this.operations.get(event.operation);
    if (operation) Object.assign(operation, { to: event.at, result: event.text });
  }

  on_shard(event) {
    const { at, shard, owner } = event;
    this.model.shards.push({ at, shard, owner: String(owner) });
  }

  /** The first violation is the failure; later ones follow from it. */
  on_violation(event) {
    this.model.violation ??= event;
  }

  withCall(event, act) {
    const call = this.byNumber.get(event.call);
    if (call) act(call);
  }
}

/** A fault in words. */
function faultText({ verb, servers = [], sides = [], micros }) {
  if (verb === "stall") return `${servers.join(", ")} stalls for ${duration(micros ?? 0)}`;
  if (OF_LINKS.includes(verb)) return `${verb} ${servers.join(" \u2192 ")}`;
  if (verb === "reach") return `${servers[0]} reaches ${servers.slice(1).join(" ") || "no server"}`;
  if (verb === "reach all") return `${servers[0]} reaches all its servers`;
  if (sides.length > 0) return `${verb} ${sides.map((side) => side.join(" ")).join(" | ")}`;
  return `${verb} ${servers.join(" ")}`;
}
