// Makes elements. Texts become text and nothing else, whatever they contain.

/** An element with attributes and children; a child may be a text. */
function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") node.addEventListener("click", value);
    else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** The first line of a text, or its beginning if it is long. */
function headline(text) {
  const line = text.trim().split("\n")[0].trim();
  return line.length > 220 ? `${line.slice(0, 219)}\u2026` : line;
}

function byId(id) {
  return document.getElementById(id);
}

/** Rust's notation of a value with a line for each part, if it is long: as `{:#?}` prints it. */
function unfolded(text) {
  if (text.length < 70) return text;
  let depth = 0;
  let quoted = false;
  let out = "";
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '"' && text[i - 1] !== "\\") quoted = !quoted;
    if (quoted) {
      out += c;
    } else if ("{[(".includes(c) && !isShort(text, i)) {
      depth++;
      out += `${c}\n${"  ".repeat(depth)}`;
      if (text[i + 1] === " ") i++;
    } else if ("{[(".includes(c)) {
      const end = closing(text, i);
      out += text.slice(i, end + 1);
      i = end;
    } else if ("}])".includes(c)) {
      depth = Math.max(0, depth - 1);
      out = `${out.trimEnd()}\n${"  ".repeat(depth)}${c}`;
    } else if (c === "," && depth > 0) {
      out += `,\n${"  ".repeat(depth)}`;
      if (text[i + 1] === " ") i++;
    } else {
      out += c;
    }
  }
  return out;
}

/** Whether a group fits on a line. */
function isShort(text, start) {
  const end = closing(text, start);
  return end > 0 && end - start < 48;
}

/** The place of the bracket that closes the one at `start`; -1 if the text ends before. */
function closing(text, start) {
  let depth = 0;
  let quoted = false;
  for (let i = start; i < text.length; i++) {
    const c = text[i];
    if (c === '"' && text[i - 1] !== "\\") quoted = !quoted;
    if (quoted) continue;
    if ("{[(".includes(c)) depth++;
    if ("}])".includes(c) && --depth === 0) return i;
  }
  return -1;
}
