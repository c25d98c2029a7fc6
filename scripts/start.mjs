// `npm start`: sets up, boots a cluster (or finds the running one), takes the tour, and leaves the cluster running.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root, setUp } from "./setup/index.mjs";

setUp();
const netloom = (...args) =>
  spawnSync(process.execPath, [join(root, "bin/netloom.mjs"), ...args], { stdio: "inherit" }).status ?? 1;
const isRunning =
  spawnSync(process.execPath, [join(root, "bin/netloom.mjs"), "status"], { stdio: "ignore" }).status === 0;
process.exit((isRunning ? 0 : netloom("up")) || netloom("tour"));
