/** What `cluster.json` and `nodes.json` look like now, whichever release wrote them: also of a cluster that an older one runs. */
import { configPerFamily, rosterPerFamily } from "./per-family.ts";

export { configPerFamily, rosterPerFamily };

type Fields = Readonly<Record<string, unknown>>;

/** `cluster.json` as it is read. */
export function presentConfig(config: Fields): Fields {
  return withLogLevel(configPerFamily(withNetwork(withLimits(config))));
}

/** `nodes.json` likewise. */
export const presentRoster = rosterPerFamily;

/** Layout 1 to 2. */
export const withLimits = (config: Fields): Fields => ({ maxPods: 110, auditLog: false, ...config });
/** Layout 2 to 3. */
export const withNetwork = (config: Fields): Fields => ({ network: "host-gw", ...config });
/** Layout 4 to 5. */
export const withLogLevel = (config: Fields): Fields => ({ logLevel: "info", ...config });
