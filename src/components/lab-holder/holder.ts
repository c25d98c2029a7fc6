/**
 * The process a cluster hangs on. In the cluster's PID and mount namespaces it makes the private file systems and the
 * lan's network namespace, starts the server and the agents, restarts them when they end, and says how they are.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:net";
import { createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { mount } from "../../machinery/libc/index.ts";
import type { Clock } from "../../machinery/clock.ts";
import type { Component } from "../../machinery/component.ts";
import { type ClusterProgress, type ComponentReport, serveControl } from "../../machinery/control-socket/index.ts";
import { createClusterPki } from "../../machinery/pki/index.ts";
import type { Logger } from "../../machinery/log.ts";
import { keepOwnLogShort, type SupervisedProcess, superviseProcess } from "../../machinery/process/index.ts";
import { type ClusterConfig, clusterPaths } from "../../model/cluster-config.ts";
import type { NodeRoster } from "../../model/node-roster/index.ts";
import { HeldOutputs } from "./held-outputs.ts";
import { createNodeKeeper, type NodeKeeper } from "./node-keeper.ts";

export interface HolderOptions {
  readonly config: ClusterConfig;
  /** How netloom starts itself: Node, its flags, and the entry file. */
  readonly self: readonly string[];
  /** The nodes, and which agent process carries which. */
  readonly roster: NodeRoster;
  /** Where the signs are put up that 127.N.0.0/16 and the API's port are taken, also while the server restarts. */
  readonly claims: readonly { readonly host: string; readonly port: number }[];
  readonly log: Logger;
  readonly clock: Clock;
}

const mostRestartsWhileStarting = 2;
/** Longer than the longest wait between two starts: what a process said before its end is told until then. */
const failureToldMs = 30_000;

/** `run` rejects when a namespace or mount cannot be made; a child that ends is started again. */
export function createHolder(options: HolderOptions): Component {
  return new Holder(options);
}

class Holder implements Component {
  readonly name = "holder";
  readonly ready: Promise<void>;
  readonly #options: HolderOptions;
  readonly #settled = Promise.withResolvers<void>();
  readonly #progress: ClusterProgress[] = [];
  readonly #followers = new Set<(progress: ClusterProgress) => void>();
  readonly #children: { process: SupervisedProcess; report: ComponentReport }[] = [];
  /** Process -> what it said when it could not go on, last. */
  readonly #failures = new Map<string, ClusterProgress>();
  readonly #nodes: NodeKeeper;
  readonly #outputs: HeldOutputs;

  constructor(options: HolderOptions) {
    const { config, roster, clock, log } = options;
    const paths = clusterPaths(config);
    this.#options = options;
    this.#outputs = new HeldOutputs(clock);
    this.#nodes = createNodeKeeper({
      config,
      roster,
      file: paths.roster,
      log,
      // Keys and certificates of the new node, beside those that are there.
      onAdd: (nodes) => void createClusterPki({ config: { ...config, nodes }, clock }),
      onDeleted: (name) => rmSync(paths.nodeState(name), { recursive: true, force: true }),
    });
    this.ready = this.#settled.promise;
    this.ready.catch(() => undefined);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { config, roster } = this.#options;
    const paths = clusterPaths(config);
    const control = await serveControl(paths.holderSocket, {
      status: () => ({
        components: this.#children.map(({ report }) => ({ ...report, failure: this.#recentFailure(report.name) })),
        nodes: this.#nodes.reports(),
        progress: this.#progress,
      }),
      followRoster: (callback) => this.#nodes.follow(callback),
      changeNode: (change) => this.#nodes.change(change),
      nodeState: (name, state) => this.#nodes.noteState(name, state),
      output: (message) => {
        if ("hold" in message) this.#outputs.hold(message.hold);
        else this.#outputs.release(message.release);
      },
      report: (progress) => this.#report(progress),
      follow: (callback) => this.#follow(callback),
    });
    const claims = await Promise.all(this.#options.claims.map(async (place) => await this.#claim(place)));
    try {
      makePrivateMounts(paths);
      makeLan(paths.netns);
      this.#report({ step: "namespaces", atMs: this.#options.clock.now() });
      const server = this.#supervise("server", ["server", paths.config], []);
      const agents = [...new Set(roster.map(({ agent }) => agent))].toSorted((a, b) => a - b);
      const running = agents.map((number) =>
        this.#supervise(
          `agent-${number}`,
          ["agent", paths.config, `${number}`],
          ["nsenter", `--net=${join(paths.netns, "lan")}`, "--"],
        ),
      );
      this.#settled.resolve();
      const { clock, log } = this.#options;
      await Promise.all([
        ...[server, ...running].map((process) => process.run(signal)),
        keepOwnLogShort({ path: join(paths.logs, "holder.log"), clock, log, signal }),
      ]);
    } catch (error) {
      this.#settled.reject(error);
      this.#report({ step: "failed", detail: (error as Error).message, atMs: this.#options.clock.now() });
      throw error;
    } finally {
      control.close();
      this.#outputs.close();
      for (const claim of claims) claim?.close();
    }
  }

  /** Undefined where the claim cannot be put up; then two clusters of different users might choose the same number. */
  async #claim(place: { readonly host: string; readonly port: number }): Promise<Server | undefined> {
    const server = createServer((socket) => socket.destroy());
    try {
      server.listen(place);
      await once(server, "listening");
      return server;
    } catch (error) {
      this.#options.log.warn("the cluster's loopback network or port is claimed by another program", {
        ...place,
        error,
      });
      return undefined;
    }
  }

  #supervise(name: string, args: readonly string[], prefix: readonly string[]): SupervisedProcess {
    const { config, self, clock, log } = this.#options;
    const [command = "", ...rest] = [...prefix, ...self, ...args];
    const report = {
      name,
      pid: undefined as number | undefined,
      restarts: -1,
      startedAtMs: undefined as number | undefined,
    };
    const process = superviseProcess({
      name,
      command,
      args: rest,
      env: globalThis.process.env,
      logFile: join(clusterPaths(config).logs, `${name}.log`),
      clock,
      log,
      onStart: (pid) => Object.assign(report, { pid, restarts: report.restarts + 1, startedAtMs: clock.now() }),
      onExit: (exit) => {
        report.pid = undefined;
        this.#giveUpStarting(name, report.restarts);
        log.warn("a process ended, starting it again", { process: name, exitCode: exit.exitCode, signal: exit.signal });
        return "restart";
      },
    });
    this.#children.push({ process, report });
    return process;
  }

  /** Before the cluster has served once, a process that keeps ending will not get better: whoever waits is told so. */
  #giveUpStarting(name: string, restarts: number): void {
    const hasServed = this.#progress.some(({ step }) => step === "nodes-ready");
    if (hasServed || restarts < mostRestartsWhileStarting) return;
    const detail = `the process "${name}" ends again and again`;
    this.#report({ step: "failed", detail, atMs: this.#options.clock.now() });
  }

  #recentFailure(name: string): string | undefined {
    const failure = this.#failures.get(name);
    return failure !== undefined && this.#options.clock.now() - failure.atMs < failureToldMs
      ? failure.detail
      : undefined;
  }

  #report(progress: ClusterProgress): void {
    if (progress.step === "failed" && progress.process !== undefined) this.#failures.set(progress.process, progress);
    // A restarted process reports its milestones again; the first time counts. Of failures the last does.
    const known = this.#progress.findIndex(({ step }) => step === progress.step);
    if (progress.step !== "failed" && known !== -1) return;
    if (known !== -1) this.#progress.splice(known, 1);
    this.#progress.push(progress);
    for (const follower of this.#followers) follower(progress);
  }

  #follow(callback: (progress: ClusterProgress) => void): () => void {
    for (const progress of this.#progress) callback(progress);
    this.#followers.add(callback);
    return () => this.#followers.delete(callback);
  }
}

function makePrivateMounts(paths: ReturnType<typeof clusterPaths>): void {
  mkdirSync(paths.private, { recursive: true, mode: 0o700 });
  mount({ source: "netloom", target: paths.private, type: "tmpfs", data: "mode=0700,size=50%" });
  mkdirSync(paths.netns);
}

/** unshare(1) leaves the namespace bound to the file; this process stays where it is. */
function makeLan(folder: string): void {
  const path = join(folder, "lan");
  writeFileSync(path, "");
  const made = spawnSync("unshare", [`--net=${path}`, "true"], { encoding: "utf8" });
  if (made.status !== 0) {
    throw new Error(
      `Cannot make the lan's network namespace at "${path}": ${made.error?.message ?? made.stderr.trim()}`,
    );
  }
}
