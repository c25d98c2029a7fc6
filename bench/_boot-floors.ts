/** What nothing that boots clusters of Node and crun can be better than, measured in the same run. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median } from "./_table.ts";

export interface BootFloors {
  /** Milliseconds of an empty Node, start to end. */
  readonly nodeStart: number;
  /** Megabytes of an empty Node. */
  readonly nodePss: number;
  /** Milliseconds of `crun run` of a static program that ends at once. */
  readonly crunRun: number;
  /** Milliseconds of a network namespace, made and removed. */
  readonly namespace: number;
}

export function measureFloors(rounds: number): BootFloors {
  const times = (count: number, work: () => void): number =>
    median(
      Array.from({ length: count }, () => {
        const started = performance.now();
        work();
        return performance.now() - started;
      }),
    );
  const nodeStart = times(rounds * 2, () => void spawnSync(process.execPath, ["-e", "0"]));
  const pss = spawnSync(
    process.execPath,
    ["-e", "console.log(require('fs').readFileSync('/proc/self/smaps_rollup','utf8'))"],
    { encoding: "utf8" },
  );
  const nodePss = Number(/^Pss:\s+(\d+) kB/m.exec(pss.stdout)?.[1] ?? 0) / 1024;
  const namespace = times(rounds * 2, () => void spawnSync("unshare", ["--net", "true"]));
  return { nodeStart, nodePss, crunRun: crunFloor(rounds * 2), namespace };
}

/** `crun run` of `true` with a static busybox, in a mount namespace where it finds no cgroups. */
function crunFloor(rounds: number): number {
  const bundle = mkdtempSync(join(tmpdir(), "nlc-"));
  for (const folder of ["bin", "dev", "proc"]) mkdirSync(join(bundle, "rootfs", folder), { recursive: true });
  spawnSync("cp", ["/bin/busybox", join(bundle, "rootfs/bin/true")]);
  const config = {
    ociVersion: "1.0.0",
    process: { cwd: "/", args: ["/bin/true"], user: { uid: 0, gid: 0 } },
    root: { path: "rootfs" },
    linux: { namespaces: ["pid", "mount", "network", "ipc", "uts"].map((type) => ({ type })) },
    mounts: [{ destination: "/proc", type: "proc", source: "proc" }],
  };
  writeFileSync(join(bundle, "config.json"), JSON.stringify(config));
  const script = `mount -t tmpfs none /sys/fs/cgroup; for i in $(seq ${rounds}); do s=$(date +%s%N); crun --cgroup-manager=disabled run -b ${bundle} floor-$$-$i || exit 1; e=$(date +%s%N); echo $(( (e - s) / 1000 )); done`;
  const output = spawnSync("unshare", ["--mount", "sh", "-c", script], { encoding: "utf8" });
  rmSync(bundle, { recursive: true, force: true });
  if (output.status !== 0) throw new Error(`Cannot measure crun run: ${output.stderr}`);
  return median(output.stdout.trim().split("\n").map(Number)) / 1000;
}
