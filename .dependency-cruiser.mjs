// The house's law (ARCHITECTURE.md): a room imports only from rooms with a lower number, never from a neighbour of its
// own number, and another room only through its index. test/repo/layering.test.ts asserts that the modules were seen.
const floors = [
  ["lib"],
  ["api"],
  ["model"],
  ["machinery"],
  ["kernel", "storage", "client", "container", "l7", "routing"],
  ["components"],
  ["cmd"],
];
const forbidden = [];
floors.forEach((rooms, floor) => {
  const above = floors.slice(floor + 1).flat();
  for (const room of rooms) {
    const banned = [...above, ...rooms.filter((other) => other !== room)];
    if (banned.length > 0) {
      forbidden.push({
        name: `${room}-imports-only-lower-floors`,
        severity: "error",
        from: { path: `^src/${room}/` },
        to: { path: `^src/(${banned.join("|")})/` },
      });
    }
  }
});
forbidden.push(
  {
    name: "components-do-not-know-each-other",
    severity: "error",
    from: { path: "^src/components/([^/]+)/" },
    to: { path: "^src/components/([^/]+)/", pathNot: "^src/components/$1/" },
  },
  {
    name: "pure-rooms-do-no-io",
    severity: "error",
    from: { path: "^src/(lib|api|model)/", pathNot: "\\.test\\.ts$" },
    to: {
      path: "^(node:)?(fs|fs/promises|net|http|http2|https|tls|dgram|dns|child_process|worker_threads|cluster|sqlite)$|node_modules/koffi",
    },
  },
  { name: "no-cycles", severity: "error", from: {}, to: { circular: true, dependencyTypesNot: ["type-only"] } },
  {
    name: "tests-are-not-imported",
    severity: "error",
    from: { pathNot: "\\.test\\.ts$|^test/" },
    to: { path: "\\.test\\.ts$|^test/" },
  },
);

export default {
  forbidden,
  options: {
    parser: "swc",
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
  },
};
