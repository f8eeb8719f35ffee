// Reads the recording that the page carries: one JSON object per line, compressed by gzip, in
// base64. So it cannot end the element that it stands in, whatever the recorded code said.

/** All lines of the recording, as objects. */
async function readRecording() {
  const text = atob(document.getElementById("recording").textContent.trim());
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return parseLines(await new Response(plain).text());
}

/** Parses lines of JSON. A process that was killed may have left half a line at the end. */
function parseLines(text) {
  try {
    return JSON.parse(`[${text.trimEnd().replaceAll("\n", ",")}]`); // Much faster than line by line.
  } catch {
    return text.split("\n").flatMap((line) => {
      try {
        return [JSON.parse(line)];
      } catch {
        return [];
      }
    });
  }
}
