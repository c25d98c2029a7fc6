/**
 * The form of a cluster's state folder has a number, so that a newer netloom starts what an older one made, and an older
 * one does not guess at what a newer one made. Migrations are a list; each takes the folder from one number to the next.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  configPerFamily,
  rosterPerFamily,
  withLimits,
  withLogLevel,
  withNetwork,
} from "../../model/state-layout/index.ts";

export class StateLayoutError extends Error {
  readonly code = "StateLayoutUnknown";
}

type Fields = Readonly<Record<string, unknown>>;

interface Migration {
  /** The number it leaves behind. */
  readonly from: number;
  /** For the log. */
  readonly what: string;
  /** Must bear to be run twice: a crash may come between it and the new number. */
  run(stateDir: string): void;
}

/**
 * 1: before the folder had a number. 2: `cluster.json` says how many pods a node takes, and whether requests are logged.
 * 3: it says how pods of different nodes reach each other. 4: addresses and ranges are lists, one of each family. 5: it
 * says how much is written to the logs.
 */
const migrations: readonly Migration[] = [
  {
    from: 1,
    what: "cluster.json gets maxPods and auditLog",
    run: (stateDir) => editJson(join(stateDir, "cluster.json"), (config) => withLimits(config as Fields)),
  },
  {
    from: 2,
    what: "cluster.json gets network",
    run: (stateDir) => editJson(join(stateDir, "cluster.json"), (config) => withNetwork(config as Fields)),
  },
  {
    from: 3,
    what: "addresses and ranges in cluster.json and nodes.json become lists, one of each family",
    run: (stateDir) => {
      editJson(join(stateDir, "cluster.json"), (config) => configPerFamily(config as Fields));
      const roster = join(stateDir, "nodes.json");
      if (existsSync(roster)) editJson(roster, rosterPerFamily);
    },
  },
  {
    from: 4,
    what: "cluster.json gets logLevel",
    run: (stateDir) => editJson(join(stateDir, "cluster.json"), (config) => withLogLevel(config as Fields)),
  },
];

export const currentLayout = migrations.length + 1;

const layoutFile = (stateDir: string): string => join(stateDir, "layout.json");

/** For a folder made now. */
export function markLayout(stateDir: string): void {
  writeAtomically(layoutFile(stateDir), `${JSON.stringify({ layout: currentLayout })}\n`);
}

/**
 * Brings the folder to the present form; only while the cluster does not run. Harmless when repeated. Returns what was
 * done, a line each. Throws `StateLayoutError` where a newer netloom made it, or where its number cannot be read.
 */
export function migrateState(stateDir: string): readonly string[] {
  const layout = readLayout(stateDir);
  if (layout > currentLayout) {
    throw new StateLayoutError(
      `Cannot use the state folder "${stateDir}": a newer netloom made it (layout ${layout}, this one knows ${currentLayout}); update netloom, or remove the cluster with "netloom down"`,
    );
  }
  const due = migrations.filter(({ from }) => from >= layout);
  for (const migration of due) {
    migration.run(stateDir);
    writeAtomically(layoutFile(stateDir), `${JSON.stringify({ layout: migration.from + 1 })}\n`);
  }
  return due.map(({ from, what }) => `layout ${from} to ${from + 1}: ${what}`);
}

function readLayout(stateDir: string): number {
  let text: string;
  try {
    text = readFileSync(layoutFile(stateDir), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 1;
    throw error;
  }
  try {
    const { layout } = JSON.parse(text) as { readonly layout?: unknown };
    if (typeof layout === "number" && Number.isInteger(layout) && layout > 0) return layout;
  } catch {
    // Told below, like a number that is none.
  }
  throw new StateLayoutError(
    `Cannot use the state folder "${stateDir}": "${layoutFile(stateDir)}" holds no layout number; remove the cluster with "netloom down"`,
  );
}

function editJson(path: string, change: (value: unknown) => unknown): void {
  writeAtomically(path, JSON.stringify(change(JSON.parse(readFileSync(path, "utf8"))), undefined, 2));
}

/** A crash leaves the old file or the new one. */
function writeAtomically(path: string, text: string): void {
  const temporary = `${path}.tmp`;
  writeFileSync(temporary, text, { mode: 0o600, flush: true });
  renameSync(temporary, path);
}
