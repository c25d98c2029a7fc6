// Runs a script with Node 24 or newer, whichever Node started this one: `node scripts/with-node.mjs FILE ...`.
import { spawnSync } from "node:child_process";
import { node24 } from "./setup/node.mjs";

const result = spawnSync(node24(), process.argv.slice(2), { stdio: "inherit" });
process.exit(result.status ?? 1);
