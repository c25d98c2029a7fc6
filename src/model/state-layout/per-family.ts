/** Layout 3 to 4: what was one address or range of IPv4 becomes a list, so that a cluster may have two families. */

type Fields = Readonly<Record<string, unknown>>;

const lists: Readonly<Record<string, string>> = {
  address: "addresses",
  podCidr: "podCidrs",
  nodeCidr: "nodeCidrs",
  serviceCidr: "serviceCidrs",
  outsideCidr: "outsideCidrs",
  controlPlaneAddress: "controlPlaneAddresses",
  outsideRouterAddress: "outsideRouterAddresses",
  outsideAddress: "outsideAddresses",
};

/** Of `cluster.json`. What is a list already stays. */
export function configPerFamily(config: Fields): Fields {
  const nodes = config["nodes"];
  return {
    ...withLists(config),
    ...(Array.isArray(nodes) ? { nodes: nodes.map((node) => withLists(node as Fields)) } : {}),
  };
}

/** Of `nodes.json`. */
export function rosterPerFamily(roster: unknown): unknown {
  if (!Array.isArray(roster)) return roster;
  return roster.map((entry: unknown) => {
    if (typeof entry !== "object" || entry === null || !("node" in entry)) return entry;
    return typeof entry.node === "object" && entry.node !== null
      ? { ...entry, node: withLists(entry.node as Fields) }
      : entry;
  });
}

function withLists(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => {
      const list = lists[key];
      return list === undefined ? [key, value] : [list, [value]];
    }),
  );
}
