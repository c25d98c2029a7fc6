/** The indexes of an Indexed job as its status writes them: "0,2-5,7". */

/** Reads the text; what is not one of the indexes below `completions` is left out. */
export function parseIndexes(text: string, completions: number): ReadonlySet<number> {
  const indexes = new Set<number>();
  for (const part of text.split(",")) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (match === null) continue;
    const first = Number(match[1]);
    const last = Math.min(Number(match[2] ?? match[1]), completions - 1);
    for (let index = first; index <= last; index += 1) indexes.add(index);
  }
  return indexes;
}

/** In order; three and more in a row become a range. */
export function formatIndexes(indexes: Iterable<number>): string {
  const sorted = [...new Set(indexes)].toSorted((a, b) => a - b);
  const parts: string[] = [];
  for (let from = 0; from < sorted.length;) {
    let to = from;
    while (sorted[to + 1] === (sorted[to] ?? 0) + 1) to += 1;
    if (to - from >= 2) parts.push(`${sorted[from]}-${sorted[to]}`);
    else parts.push(...sorted.slice(from, to + 1).map(String));
    from = to + 1;
  }
  return parts.join(",");
}
