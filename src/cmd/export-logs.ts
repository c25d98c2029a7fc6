/** `netloom export logs DIR`: everything needed to understand a cluster elsewhere, and nothing that is secret. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { apiVersionOf, type KubernetesObject } from "../api/object.ts";
import type { NamespaceReport } from "../components/lab-inspection/index.ts";
import { makeFolder } from "../machinery/make-folder.ts";
import { clusterPaths } from "../model/cluster-config.ts";
import { asAdministrator } from "./admin-client.ts";
import { clusterFolders, CommandError, noCluster, runningCluster, type RunningCluster } from "./clusters.ts";
import { reasonOf } from "./file-reasons.ts";
import { doctor } from "./doctor.ts";
import { askKernel } from "./ask-kernel.ts";
import { formatted } from "./output.ts";
import { withoutSecrets } from "./redaction.ts";
import { statusReport } from "./status-report.ts";
import { versions } from "./version.ts";

/** What lies where, for whoever gets the bundle. */
const contents = `A support bundle of netloom (netloom export logs).

version.json     netloom, Kubernetes API, Node, kernel, system
doctor.txt       what this machine can do
cluster.json     the cluster's configuration
status.yaml      its nodes, processes and addresses
objects/         a file per resource, of all namespaces
network/         links, addresses, routes and rules of "lan", "outside", the nodes and the pods (folders bear the pods' uids;
                 the alias of a pod's eth0 is its name)
logs/            of netloom's processes; audit.log where the cluster has one: who asked for what, no bodies
pods/            what containers wrote, as on the nodes
incomplete.txt   only where something could not be had

Left out: values of Secrets, and of environment variables, headers of probes and ConfigMap keys whose names speak of
passwords, tokens or keys;
what kubectl apply remembers; the keys and kubeconfigs of the cluster. What containers wrote, and how their command lines read,
is as it was: look through that before you pass it on.
`;

/** Where a bundle is, and the paths in it, relative to `folder`. */
interface WrittenBundle {
  readonly folder: string;
  readonly paths: readonly string[];
}

/**
 * Writes the bundle into `folder`, which must be empty or new; undefined: a new one among the temporary files, as kind
 * does. A cluster that does not run gives its logs and configuration; what cannot be had is noted in `incomplete.txt`.
 */
export async function exportLogs(name: string, wanted: string | undefined): Promise<WrittenBundle> {
  const paths = clusterPaths(clusterFolders(name));
  if (!existsSync(paths.logs)) throw new CommandError(`There are no logs of a cluster "${name}": ${noCluster}`);
  const folder = wanted === undefined ? mkdtempSync(join(tmpdir(), `netloom-${name}-`)) : makeBundleFolder(wanted);
  const bundle = new Bundle(folder);
  bundle.write("README.txt", contents);
  bundle.write("version.json", await formatted(versions(), "json"));
  bundle.write("cluster.json", readFileSync(paths.config, "utf8"));
  await bundle.attempt("doctor.txt", async () => bundle.write("doctor.txt", (await doctor("table")).text));
  for (const file of readdirSync(paths.logs)) bundle.copy(join(paths.logs, file), `logs/${file}`);
  let cluster: RunningCluster | undefined;
  await bundle.attempt("status, objects, network, logs of pods", async () => {
    cluster = await Promise.resolve(runningCluster(name));
  });
  if (cluster !== undefined) await exportRunning(bundle, cluster);
  return { folder, paths: bundle.finish() };
}

/** Throws `CommandError` with the reason. */
function makeBundleFolder(folder: string): string {
  try {
    makeFolder(folder);
    if (readdirSync(folder).length === 0) return folder;
  } catch (error) {
    throw new CommandError(`Cannot write into "${folder}": ${reasonOf(error)}; name another folder`, { cause: error });
  }
  throw new CommandError(`Cannot write into "${folder}": it is not empty; name a new folder`);
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

/** Events and what is now in "apps" and "networking.k8s.io" are served by these, too. */
const groupsServedTwice: readonly string[] = ["events.k8s.io", "extensions"];

/** A file per kind, every version-independent object once: of several served versions the first. */
async function exportObjects(bundle: Bundle, { config }: RunningCluster): Promise<void> {
  const { builtinResources } = await import("../api/builtin.ts");
  const seen = new Set<string>();
  await asAdministrator(config, async (client) => {
    for (const definition of builtinResources().definitions) {
      const { group, plural, kind, verbs } = definition;
      const file = `objects/${group === "" ? plural : `${plural}.${group}`}.yaml`;
      if (!verbs.includes("list") || seen.has(file) || groupsServedTwice.includes(group)) continue;
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

/** Files of a bundle, and the list of what is missing from it. */
class Bundle {
  readonly #folder: string;
  readonly #written: string[] = [];
  readonly #missing: string[] = [];

  constructor(folder: string) {
    this.#folder = folder;
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
