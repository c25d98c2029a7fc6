/** `netloom holder CONFIG`: runs in the cluster's namespaces, started by the supervisor. */
import { dirname } from "node:path";
import { createHolder } from "../components/lab-holder/index.ts";
import { apiPortClaim, loopbackClaim, migrateState } from "../components/lab-host/index.ts";
import { systemClock } from "../machinery/clock.ts";
import { createLogger } from "../machinery/log.ts";
import { readClusterFile, readRoster } from "./cluster-file.ts";
import { residentFlags, selfCommand } from "./self.ts";
import { untilTerminated } from "./until-terminated.ts";

export async function holder([configFile = ""]: readonly string[]): Promise<void> {
  // Before anything reads the folder: an older netloom may have made it.
  const migrated = migrateState(dirname(configFile));
  const config = readClusterFile(configFile);
  const log = createLogger("holder", { level: config.logLevel });
  for (const what of migrated) log.info("the state folder was brought up to date", { what });
  await createHolder({
    config,
    self: [selfCommand.node, ...residentFlags, selfCommand.entry],
    roster: readRoster(config),
    claims: [loopbackClaim(config.loopbackIndex), apiPortClaim(config.apiPort)],
    log,
    clock: systemClock,
  }).run(untilTerminated());
}
