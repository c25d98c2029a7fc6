/** Upstream's bounds, in characters: of all warnings of an answer together, and of each once those are too many. */
const mostTogether = 4096;
const mostOfEach = 256;

/**
 * The values of an answer's `Warning` headers, each text once. Clients refuse answers whose headers are too long: where
 * they would be, each text is cut, and the last ones are left out.
 */
export function warningHeaders(texts: readonly string[]): readonly string[] {
  const different = [...new Set(texts)].map((text) => Array.from(text));
  const isTooMuch = different.reduce((sum, { length }) => sum + length, 0) > mostTogether;
  const values: string[] = [];
  let written = 0;
  for (const characters of different) {
    if (isTooMuch && written >= mostTogether) break;
    const shown = isTooMuch ? characters.slice(0, mostOfEach) : characters;
    written += shown.length;
    values.push(headerValue(shown.join("")));
  }
  return values;
}

/** RFC 7234 section 5.5: code 299, no agent, the text quoted. */
function headerValue(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what must not be in a header
  const plain = text.replace(/[\u0000-\u001f\u007f]+/g, " ").replace(/[\\"]/g, "\\$&");
  return `299 - "${Buffer.from(plain).toString("latin1")}"`;
}
