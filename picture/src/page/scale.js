// From virtual time to a position along the axis and back. Stretches in which nothing happens are
// cut to a fixed length, and drawn as cut; elsewhere one microsecond has the same length.

/** Silence that is longer than this is cut, and to what. */
const SILENCE = 250_000;
const CUT_LENGTH = 40_000;
/** What stays of the silence before and after an event. */
const MARGIN = 20_000;

class Scale {
  /** `busy`: the sorted times at which something happens. */
  constructor(duration, busy) {
    /** `{from, to, start, stop}`: times and positions of what is cut. */
    this.gaps = [];
    let shift = 0;
    let previous = 0;
    for (const at of [...busy, duration]) {
      if (at - previous > SILENCE) {
        const from = previous + MARGIN;
        const to = at - MARGIN;
        this.gaps.push({ from, to, start: from - shift, stop: from - shift + CUT_LENGTH });
        shift += to - from - CUT_LENGTH;
      }
      previous = at;
    }
    this.length = duration - shift;
  }

  /** The position of a time. */
  position(at) {
    const gap = this.gapBefore(at, "from");
    if (!gap) return at;
    if (at >= gap.to) return gap.stop + (at - gap.to);
    return gap.start + ((at - gap.from) / (gap.to - gap.from)) * CUT_LENGTH;
  }

  /** The time of a position. */
  time(position) {
    const gap = this.gapBefore(position, "start");
    if (!gap) return position;
    if (position >= gap.stop) return gap.to + (position - gap.stop);
    return gap.from + ((position - gap.start) / CUT_LENGTH) * (gap.to - gap.from);
  }

  /** Whether a time is in a stretch that is cut. */
  isCut(at) {
    return (this.gapBefore(at, "from")?.to ?? -1) > at;
  }

  /** The last gap that begins before `value`. */
  gapBefore(value, key) {
    return this.gaps[firstWhere(this.gaps.length, (i) => this.gaps[i][key] > value) - 1];
  }
}

/** The times at which something happens that is worth its room on the axis. */
function busyTimes(model) {
  const times = model.marks.map((mark) => mark.at);
  for (const call of model.calls) {
    if (call.weight === IDLE) continue;
    for (const at of [call.sent, call.arrived, call.returned, call.answered]) {
      if (at !== null) times.push(at);
    }
  }
  for (const operation of model.operations) {
    times.push(operation.from);
    if (Number.isFinite(operation.to)) times.push(operation.to);
  }
  for (const bands of model.bands) bands.forEach((band) => times.push(band.from));
  times.push(model.moment);
  return Float64Array.from(times).sort();
}

/** A time in seconds, with as many digits as the step needs. */
function seconds(at, step = 100) {
  const digits = step >= 1e6 ? 0 : step >= 1e5 ? 1 : step >= 1e4 ? 2 : step >= 1e3 ? 3 : step >= 100 ? 4 : 6;
  return `${(at / 1e6).toFixed(digits)} s`;
}

/** A length of time in words: `0.27 ms`, `35 ms`, `1.2 s`. */
function duration(micros) {
  if (micros < 1e4) return `${(micros / 1e3).toFixed(2)} ms`;
  if (micros < 1e6) return `${Math.round(micros / 1e3)} ms`;
  return `${(micros / 1e6).toFixed(micros < 1e7 ? 2 : 1)} s`;
}

/** A step of the axis that is at least `least` and easy to read. */
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least);
}
