/** `netloom holder CONFIG`: runs in the cluster's namespaces, started by the supervisor. */
import { dirname } from "node:path";
import { createHolder } from "../components/lab-holder/index.ts";
import {
  apiPortClaim,
  failedStatus,
  followLauncher,
  loopbackClaim,
  markStarted,
  migrateState,
} from "../components/lab-host/index.ts";
import { systemClock } from "../machinery/clock.ts";
import { createLogger, type Logger } from "../machinery/log.ts";
import type { ClusterConfig } from "../model/cluster-config.ts";
import { readClusterFile, readRoster } from "./cluster-file.ts";
import { residentFlags, selfCommand } from "./self.ts";
import { untilTerminated } from "./until-terminated.ts";

export async function holder([configFile = ""]: readonly string[]): Promise<void> {
  process.once("exit", (code) => {
    if (code !== 0) process.exitCode = failedStatus;
  });
  // Before anything reads the folder: an older netloom may have made it.
  const migrated = migrateState(dirname(configFile));
  const config = readClusterFile(configFile);
  const log = createLogger("holder", { level: config.logLevel });
  for (const what of migrated) log.info("the state folder was brought up to date", { what });
  const abandoned = new AbortController();
  noteLaunch(config, log).catch((error: unknown) => abandoned.abort(error));
  await createHolder({
    config,
    self: [selfCommand.node, ...residentFlags, selfCommand.entry],
    roster: readRoster(config),
    claims: [loopbackClaim(config.loopbackIndex), apiPortClaim(config.apiPort)],
    log,
    clock: systemClock,
  }).run(AbortSignal.any([untilTerminated(), abandoned.signal]));
}

/** Rejects where the command that starts the cluster has ended before it was through: then nobody waits for the cluster. */
async function noteLaunch(config: ClusterConfig, log: Logger): Promise<void> {
  // It does not keep a holder alive that is told to end meanwhile.
  process.stdin.unref();
  if ((await followLauncher(process.stdin)) === "started") {
    markStarted(config);
    return;
  }
  log.warn("the command that started the cluster has ended before it was ready: the cluster ends, too");
  throw new Error("the start was abandoned");
}
