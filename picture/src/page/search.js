// Search in the texts of messages, log lines, faults and operations.

class Search {
  constructor(model) {
    this.model = model;
    this.query = "";
    /** Everything that matches, in order: `{at, kind, item}`. */
    this.matches = [];
    this.found = new Set();
  }

  /** Searches for words that must all occur, in upper or lower case. */
  run(query) {
    if (query === this.query) return;
    this.query = query;
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    this.matches = words.length === 0 ? [] : this.find(words);
    this.found = new Set(this.matches.map((match) => match.item));
  }

  find(words) {
    const { model } = this;
    const matches = [];
    const look = (kind, items, time, text) => {
      for (const item of items) {
        const hay = text(item).toLowerCase();
        if (words.every((word) => hay.includes(word))) matches.push({ at: time(item), kind, item });
      }
    };
    look("call", model.calls, (it) => it.sent, (it) => this.textOfCall(it));
    look("log", model.logs, (it) => it.at, (it) => `${it.topic} ${model.laneName(it.lane)} ${it.text}`);
    look("fault", [...model.faults, ...model.stalls], (it) => it.at, (it) => `${it.verb} ${it.text}`);
    look("accident", model.accidents, (it) => it.at, (it) => `${accidentName(it)} ${it.id} ${it.what} ${it.text}`);
    look("operation", model.operations, (it) => it.from, (it) => `${it.client} ${it.text} ${it.result ?? ""}`);
    return matches.sort((a, b) => a.at - b.at);
  }

  textOfCall(call) {
    const { model } = this;
    const names = `${model.laneName(call.from)} ${model.laneName(call.to)}`;
    return `#${call.id} ${call.method} ${names} ${call.args} ${call.reply ?? ""} ${call.lost ?? ""}`;
  }

  get isOn() {
    return this.query.trim() !== "";
  }

  /** The next match after a time, or the previous one before it; around the end if need be. */
  next(at, direction, current) {
    const { matches } = this;
    if (matches.length === 0) return null;
    const place = matches.findIndex((match) => match.item === current);
    if (place >= 0) return matches[(place + direction + matches.length) % matches.length];
    const after = firstWhere(matches.length, (i) => matches[i].at >= at);
    const next = direction > 0 ? after : after - 1;
    return matches[(next + matches.length) % matches.length];
  }
}
