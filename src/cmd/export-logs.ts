/** `netloom export logs DIR`: everything needed to understand a cluster elsewhere, and nothing that is secret. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { arch, release } from "node:os";
import { dirname, join } from "node:path";
import { apiVersionOf, type KubernetesObject } from "../api/object.ts";
import type { NamespaceReport } from "../components/lab-inspection/index.ts";
import { clusterPaths } from "../model/cluster-config.ts";
import { asAdministrator } from "./admin-client.ts";
import { clusterFolders, CommandError, runningCluster, type RunningCluster } from "./clusters.ts";
import { doctor } from "./doctor.ts";
import { askKernel } from "./ask-kernel.ts";
import { formatted } from "./output.ts";
import { withoutSecrets } from "./redaction.ts";
import { statusReport } from "./status-report.ts";
import { kubernetesVersion, packageVersion } from "./version.ts";

/**
 * Writes the bundle into `folder`, which must be empty or new. A cluster that does not run gives its logs and
 * configuration; what cannot be had is noted in `incomplete.txt`. Resolves with the paths written, relative to `folder`.
 */
export async function exportLogs(name: string, folder: string): Promise<readonly string[]> {
  const paths = clusterPaths(clusterFolders(name));
  if (!existsSync(paths.logs)) throw new CommandError(`There are no logs of a cluster "${name}": it is not there`);
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new CommandError(`Cannot write into "${folder}": it is not empty; name a new folder`);
  }
  const bundle = new Bundle(folder);
  bundle.write("version.json", await formatted(versions(), "json"));
  bundle.write("cluster.json", readFileSync(paths.config, "utf8"));
  await bundle.attempt("doctor.txt", async () => bundle.write("doctor.txt", (await doctor("table")).text));
  for (const file of readdirSync(paths.logs)) bundle.copy(join(paths.logs, file), `logs/${file}`);
  let cluster: RunningCluster | undefined;
  await bundle.attempt("status, objects, network, logs of pods", async () => {
    cluster = await Promise.resolve(runningCluster(name));
  });
  if (cluster !== undefined) await exportRunning(bundle, cluster);
  return bundle.finish();
}

async function exportRunning(bundle: Bundle, cluster: RunningCluster): Promise<void> {
  const { config, initPid } = cluster;
  await bundle.attempt("status.yaml", async () =>
    bundle.write("status.yaml", await formatted(await statusReport(cluster, { isDetailed: true }), "yaml")),
  );
  await bundle.attempt("objects", async () => await exportObjects(bundle, cluster));
  await bundle.attempt("network", async () => {
    for (const report of await askKernel(cluster)) await exportNamespace(bundle, report);
  });
  for (const { name } of config.nodes) {
    const podLogs = `/proc/${initPid}/root${clusterPaths(config).nodeRoot(name)}/var/log/pods`;
    await bundle.attempt(`logs of the pods of ${name}`, () => {
      if (existsSync(podLogs)) bundle.copy(podLogs, `pods/${name}`);
    });
  }
}

/** A file per kind, every version-independent object once: of several served versions the first. */
async function exportObjects(bundle: Bundle, { config }: RunningCluster): Promise<void> {
  const { builtinResources } = await import("../api/builtin.ts");
  const seen = new Set<string>();
  await asAdministrator(config, async (client) => {
    for (const definition of builtinResources().definitions) {
      const { group, plural, kind, verbs } = definition;
      const file = `objects/${group === "" ? plural : `${plural}.${group}`}.yaml`;
      // Events are served by two groups.
      if (!verbs.includes("list") || seen.has(file) || group === "events.k8s.io") continue;
      seen.add(file);
      await bundle.attempt(file, async () => {
        const { items } = await client.list<KubernetesObject>(definition);
        // Items of a list come without their kind; what is secret goes by it, and a reader wants it too.
        const named = items.map((item) => withoutSecrets({ apiVersion: apiVersionOf(definition), kind, ...item }));
        if (named.length > 0) bundle.write(file, await formatted(named, "yaml"));
      });
    }
  });
}

async function exportNamespace(bundle: Bundle, report: NamespaceReport): Promise<void> {
  const { name, ruleSet, ...rest } = report;
  bundle.write(`network/${name}/network.yaml`, await formatted(rest, "yaml"));
  if (ruleSet !== "") bundle.write(`network/${name}/ruleset.nft`, ruleSet);
}

const versions = () => ({
  netloom: packageVersion(),
  kubernetes: kubernetesVersion,
  node: process.version,
  kernel: release(),
  architecture: arch(),
  system: readFileSync("/etc/os-release", "utf8")
    .split("\n")
    .find((line) => line.startsWith("PRETTY_NAME="))
    ?.slice("PRETTY_NAME=".length)
    .replaceAll('"', ""),
});

/** Files of a bundle, and the list of what is missing from it. */
class Bundle {
  readonly #folder: string;
  readonly #written: string[] = [];
  readonly #missing: string[] = [];

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  write(path: string, text: string): void {
    const file = join(this.#folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    this.#written.push(path);
  }

  copy(from: string, path: string): void {
    cpSync(from, join(this.#folder, path), { recursive: true });
    this.#written.push(path);
  }

  /** A bundle is for when something is broken: the rest of it is written all the same. */
  async attempt(what: string, work: () => void | Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#missing.push(`${what}: ${(error as Error).message}`);
    }
  }

  finish(): readonly string[] {
    if (this.#missing.length > 0) this.write("incomplete.txt", `${this.#missing.join("\n")}\n`);
    return this.#written;
  }
}
