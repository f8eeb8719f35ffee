// Colours and fonts of the canvases. The colours come from the style sheet, so that the canvas is
// dark when the page is.

/** Lightness and chroma of bands: equally light in every hue, so that text on them can be read. */
const LIGHT = { leader: [0.76, 0.15], follower: [0.92, 0.05] };
const DARK = { leader: [0.5, 0.14], follower: [0.33, 0.055] };

class Ink {
  constructor() {
    this.read();
  }

  read() {
    const style = getComputedStyle(document.documentElement);
    const names = ["paper", "ink", "muted", "rule", "tint", "lane", "bad", "good", "warn", "pick"];
    for (const name of names) this[name] = style.getPropertyValue(`--${name}`).trim();
    this.methods = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => style.getPropertyValue(`--m${i}`).trim());
    this.isDark = matchMedia("(prefers-color-scheme: dark)").matches;
    this.mono = "11px ui-monospace, Consolas, 'DejaVu Sans Mono', monospace";
    this.bold = "600 12px system-ui, sans-serif";
    this.small = "11px system-ui, sans-serif";
  }

  /** The hue of a term or group: neighbours differ clearly. */
  hue(number) {
    return (number * 137.508 + 255) % 360;
  }

  /** The colour of a band: saturated for a leader, pale for others. Text on it is `ink`. */
  band(band) {
    if (!band.up) return this.isDark ? "#000" : "#3a3d42";
    if (band.term === null) return this.lane;
    const isLeader = band.role === "leader";
    const [light, chroma] = (this.isDark ? DARK : LIGHT)[isLeader ? "leader" : "follower"];
    return `oklch(${light} ${chroma} ${this.hue(band.term)})`;
  }

  /** The colour of an owner of shards. */
  owner(number) {
    return this.isDark ? `oklch(0.45 0.1 ${this.hue(number)})` : `oklch(0.84 0.1 ${this.hue(number)})`;
  }
}

/** The width of a character of the monospaced font. */
const MONO_WIDTH = 6.65;

/** The beginning of a text that fits into `width` pixels of the monospaced font. */
function fitted(text, width) {
  const room = Math.floor(width / MONO_WIDTH);
  if (text.length <= room) return text;
  return room < 4 ? "" : `${text.slice(0, room - 1)}\u2026`;
}

/** Makes a canvas as large as its element, in device pixels, and returns its context. */
function prepare(canvas, width, height) {
  const ratio = devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const g = canvas.getContext("2d");
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, width, height);
  g.textBaseline = "middle";
  return g;
}

/** A cross, the sign of a loss. */
function cross(g, x, y, size) {
  g.moveTo(x - size, y - size);
  g.lineTo(x + size, y + size);
  g.moveTo(x + size, y - size);
  g.lineTo(x - size, y + size);
}

/** The head of an arrow that ends at (x, y) and comes from (fromX, fromY). */
function head(g, fromX, fromY, x, y, size) {
  const angle = Math.atan2(y - fromY, x - fromX);
  g.moveTo(x, y);
  g.lineTo(x - size * Math.cos(angle - 0.4), y - size * Math.sin(angle - 0.4));
  g.lineTo(x - size * Math.cos(angle + 0.4), y - size * Math.sin(angle + 0.4));
  g.closePath();
}

/** Text with a rim of the background's colour, readable above strokes. */
function haloed(g, text, x, y, colour, paper) {
  g.lineJoin = "round";
  g.lineWidth = 3;
  g.strokeStyle = paper;
  g.strokeText(text, x, y);
  g.fillStyle = colour;
  g.fillText(text, x, y);
}
