/** Quotation marks that word processors and web pages make of the plain ones. */

const typographic = /[\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2032\u2033]/u;

/**
 * For behind the message about an invalid value (a label, a name, an image); undefined where there are no such marks.
 * Without a full stop.
 */
export function suggestQuotes(value: string): string | undefined {
  const [mark] = typographic.exec(value) ?? [];
  if (mark === undefined) return undefined;
  const plain = value.replaceAll(new RegExp(typographic, "gu"), "");
  return `it contains the typographic quotation mark ${mark}, which is an ordinary character here: write ${plain === "" ? 'plain quotes (")' : `"${plain}"`}`;
}
