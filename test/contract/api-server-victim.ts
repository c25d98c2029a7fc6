/** The victim of api-server-crash.test.ts: an API server over a SQLite store in the folder, on the port. */
import { join } from "node:path";
import { builtinResources } from "../../src/api/builtin.ts";
import { createApiServer } from "../../src/components/kube-apiserver/index.ts";
import { systemClock } from "../../src/machinery/clock.ts";
import { silentLogger } from "../../src/machinery/log.ts";
import { createClusterPki } from "../../src/machinery/pki/index.ts";
import { exampleCluster } from "../../src/model/cluster-plan/index.ts";
import { openSqliteStore } from "../../src/storage/index.ts";

const [folder = "", port = ""] = process.argv.slice(2);
const config = exampleCluster(folder, { nodes: [] });
await createApiServer({
  config,
  store: openSqliteStore(join(folder, "store.db")),
  registry: builtinResources(),
  pki: createClusterPki({ config, clock: systemClock }),
  listeners: [{ host: "127.0.0.1", port: Number(port) }],
  clock: systemClock,
  log: silentLogger,
}).run(new AbortController().signal);
