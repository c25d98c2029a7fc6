/** The `/etc/hosts` of a node: the cluster's nodes by name, between two lines that say whose they are. */

const first = "# The cluster's nodes, kept by netloom.";
const last = "# End of the cluster's nodes.";
const standardEntries = ["127.0.0.1\tlocalhost", "::1\tlocalhost ip6-localhost ip6-loopback"];

export interface NamedHost {
  /** At most one per family; a line each. */
  readonly addresses: readonly string[];
  readonly name: string;
}

/**
 * @param present - What the file holds; "" where there is none. What somebody wrote above or below the nodes stays as it
 * is; where the two lines are gone, the nodes come at the end.
 */
export function nodeHostsFile(present: string, names: readonly NamedHost[]): string {
  const block = [
    first,
    ...names.flatMap(({ addresses, name }) => addresses.map((address) => `${address}\t${name}`)),
    last,
  ];
  if (present.trim() === "") return `${[...standardEntries, ...block].join("\n")}\n`;
  const lines = present.replace(/\n$/, "").split("\n");
  const [start, end] = [lines.indexOf(first), lines.indexOf(last)];
  if (start < 0 || end < start) {
    return `${[...lines.filter((line) => line !== first && line !== last), ...block].join("\n")}\n`;
  }
  return `${[...lines.slice(0, start), ...block, ...lines.slice(end + 1)].join("\n")}\n`;
}
