import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { composeNodeRoot, updateNodeNames } from "../../src/container/index.ts";
import { mount } from "../../src/machinery/libc/index.ts";
import { clusterPaths, type NodeConfig } from "../../src/model/cluster-config.ts";
import { inNamespaces } from "./in-namespaces.ts";

inNamespaces(
  import.meta.url,
  (mode) => {
    const folder = mkdtempSync(join(tmpdir(), "netloom-node-root-"));
    const nodes = ["node-1", "node-2"].map((name, index): NodeConfig => ({
      name,
      addresses: [`192.168.60.1${index + 1}`],
      podCidrs: [`10.244.${index + 1}.0/24`],
      loopbackAddress: `127.60.0.${index + 1}`,
    }));
    const config: Parameters<typeof composeNodeRoot>[0]["config"] = {
      stateDir: join(folder, "state"),
      runDir: join(folder, "run"),
      toolsDir: join(folder, "tools"),
      nodes,
      controlPlaneAddresses: ["192.168.60.1"],
    };
    const paths = clusterPaths(config);
    const inRoot = (root: string, command: string): { status: number | null; stdout: string; stderr: string } =>
      spawnSync("chroot", [root, "/bin/sh", "-c", command], { encoding: "utf8" });
    let root = "";

    before(() => {
      mkdirSync(join(config.toolsDir, "usr/bin"), { recursive: true });
      mkdirSync(join(config.toolsDir, "lib"), { recursive: true });
      spawnSync("cp", ["/bin/true", join(config.toolsDir, "usr/bin/netloom-fetched")]);
      spawnSync("cp", ["/bin/true", join(config.toolsDir, "lib/netloom-library")]);
      mkdirSync(paths.private, { recursive: true });
      mount({ source: "tmpfs", target: paths.private, type: "tmpfs" });
      root = composeNodeRoot({ config, node: { name: "node-1" } });
    });
    after(() => {
      for (const line of readFileSync("/proc/self/mounts", "utf8").split("\n").toReversed()) {
        const target = line.split(" ")[1] ?? "";
        if (target.startsWith(folder)) spawnSync("umount", ["-l", target]);
      }
      rmSync(folder, { recursive: true });
    });

    test(`composeNodeRoot() lies at the node's place and runs the machine's programs (${mode})`, () => {
      assert.equal(root, paths.nodeRoot("node-1"));
      const { stdout, stderr } = inRoot(
        root,
        "cat /etc/hostname; grep node-2 /etc/hosts; curl --version | head -c 4; id -un",
      );
      assert.equal(stdout, "node-1\n192.168.60.12\tnode-2\ncurlroot\n", stderr);
    });

    test(`composeNodeRoot() shows the programs of the tools folder (${mode})`, () => {
      assert.equal(inRoot(root, "netloom-fetched && ls /usr/lib/netloom-library").status, 0);
    });

    test(`composeNodeRoot() gives /var, /tmp and devices of its own and keeps /usr read-only (${mode})`, () => {
      const script =
        "echo disk >/var/lib/kept && echo x >/tmp/x && echo y >/root/y && echo z >/dev/null && ls /home && cat /proc/self/comm";
      assert.equal(inRoot(root, script).stdout, "cat\n");
      assert.equal(readFileSync(join(paths.nodeState("node-1"), "var/lib/kept"), "utf8"), "disk\n");
      assert.ok(!existsSync("/var/lib/kept"));
      assert.match(inRoot(root, "touch /usr/x").stderr, /Read-only file system/);
      assert.match(inRoot(root, "touch /opt/x").stderr, /Read-only file system/);
    });

    test(`updateNodeNames() follows the nodes that come and go (${mode})`, () => {
      const hosts = (): string => inRoot(root, "echo 10.9.9.9 mine >> /etc/hosts; cat /etc/hosts").stdout;
      const [first, second] = nodes;
      assert.ok(first !== undefined && second !== undefined);
      const third: NodeConfig = { ...second, name: "node-3", addresses: ["192.168.60.13"] };
      updateNodeNames({ config: { ...config, nodes: [first, third] }, node: first });
      assert.match(hosts(), /192\.168\.60\.13\tnode-3\n192\.168\.60\.1\tcontrol-plane/);
      assert.doesNotMatch(hosts(), /node-2/);
      // As by an agent that starts again.
      composeNodeRoot({ config, node: first });
      assert.match(hosts(), /60\.12\tnode-2\n[^]*10\.9\.9\.9 mine/);
      assert.doesNotMatch(hosts(), /node-3/);
    });

    test(`composeNodeRoot() again changes nothing (${mode})`, () => {
      const mounts = readFileSync("/proc/self/mounts", "utf8");
      assert.equal(composeNodeRoot({ config, node: { name: "node-1" } }), root);
      assert.equal(readFileSync("/proc/self/mounts", "utf8"), mounts);
    });
  },
  { hasOwnProcesses: true },
);
