// Which messages had an effect. Servers that only confirm that they are alive exchange most of the
// messages of a run; what explains a failure is among those whose handling logged or saved
// something. The others are faded, and never deleted: a vote that is only counted has no effect by
// this rule.

/** How long after a reply the caller's task still acts on it. */
const REACTION = 500;
/** How long a task that a message's handler has spawned still acts for it. */
const CONSEQUENCE = 2000;

/** What a call's weight means. */
const IDLE = 0;
const NOTABLE = 1;
const EFFECTIVE = 2;

/** A run with more accidents than this was not made calm. */
const FEW = 100;

/** Knows which task acts on which message at the moment. */
class Effects {
  constructor() {
    /** The call that a task handles. */
    this.handling = new Map();
    /** The calls of which a task awaits, or has just got, the reply. */
    this.callers = new Map();
    this.callerOf = new Map();
  }

  sent(call, task) {
    if (task > 0) this.callerOf.set(call, task);
  }

  arrived(call, task) {
    if (task > 0) this.handling.set(task, { call, until: Infinity });
  }

  returned(call, task) {
    const handled = this.handling.get(task);
    if (handled?.call === call) this.handling.delete(task);
  }

  answered(call) {
    const task = this.callerOf.get(call);
    if (task > 0) this.callers.set(task, { call, until: call.answered + REACTION });
  }

  spawned(task, child, at) {
    const handled = this.handling.get(task);
    if (!handled || !(child > 0)) return;
    const until = Math.min(handled.until, at + CONSEQUENCE);
    this.handling.set(child, { call: handled.call, until });
  }

  /** A task logged or saved something: the call that made it do so, if there is one. */
  acted(task, at) {
    const cause = [this.handling.get(task), this.callers.get(task)].find((it) => it && at <= it.until);
    if (!cause) return null;
    cause.call.hasEffect = true;
    return cause.call;
  }
}

/** Gives every call its weight. */
function weighCalls(model) {
  const latest = new Map();
  for (const call of model.calls) {
    const link = `${call.end} ${call.method}`;
    const isRepetition = latest.get(link) === call.args;
    latest.set(link, call.args);
    const isFromClient = model.lanes[call.from].kind !== "server";
    const isFreshLoss = call.lost !== null && !isRepetition;
    call.weight = call.hasEffect ? EFFECTIVE : isFromClient || isFreshLoss ? NOTABLE : IDLE;
  }
  // What happens to a message although everything else is calm matters.
  for (const { call } of model.accidents) if (call && model.accidents.length <= FEW) call.weight = EFFECTIVE;
}
