/** A cluster whose pods reach those of other nodes wrapped in UDP. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually, type Lab, makeLab } from "./lab/index.ts";

const hasIpv6 = existsSync("/proc/sys/net/ipv6");
const inUrl = (address: string): string => (address.includes(":") ? `[${address}]` : address);

/** Counts what comes in from the node network: pods of other nodes, as this node sees them. */
const counters = `table inet seen {
  counter wrapped {}
  counter bare {}
  chain arriving {
    type filter hook prerouting priority -300;
    iifname eth0 udp dport 4789 counter name wrapped
    iifname eth0 ip saddr 10.244.0.0/16 counter name bare
    iifname eth0 ip6 saddr fd00:10:244::/56 counter name bare
  }
}`;

describe("a cluster with --network vxlan", () => {
  let lab: Lab;
  before(async () => {
    lab = makeLab();
    const file = join(lab.folder, "netloom.yaml");
    const spec = JSON.stringify({ nodes: 2, network: "vxlan", ipFamily: hasIpv6 ? "dual" : "ipv4", auditLog: true });
    writeFileSync(file, `apiVersion: netloom.dev/v1alpha1\nkind: Cluster\nspec: ${spec}\n`);
    await must(lab.netloom(["up", "-f", file]));
    await runOn("near", "node-1");
    await runOn("far", "node-2");
    const policy = JSON.stringify({ spec: { ipFamilyPolicy: "PreferDualStack" } });
    await must(lab.kubectl(["expose", "pod", "far", "--port=80", "--type=NodePort", `--overrides=${policy}`]));
  });
  after(async () => await lab.end());

  const must = async (answer: Promise<{ code: number; stdout: string; stderr: string }>): Promise<string> => {
    const { code, stdout, stderr } = await answer;
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const runOn = async (name: string, nodeName: string): Promise<void> => {
    const overrides = JSON.stringify({ spec: { nodeName } });
    await must(lab.kubectl(["run", name, "--image=nginx", `--overrides=${overrides}`]));
    await must(lab.kubectl(["wait", "--for=condition=Ready", `pod/${name}`, "--timeout=30s"]));
  };
  /** Of both families, in brackets where a URL needs them. */
  const addressesOf = async (pod: string): Promise<readonly string[]> =>
    (await must(lab.kubectl(["get", "pod", pod, "-o", "jsonpath={.status.podIPs[*].ip}"]))).split(" ").map(inUrl);
  const addressOf = async (pod: string): Promise<string> =>
    await must(lab.kubectl(["get", "pod", pod, "-o", "jsonpath={.status.podIP}"]));
  const onNode = async (node: string, script: string): Promise<string> =>
    await must(lab.netloom(["exec", node, "--", "sh", "-c", script]));
  const bytesSeen = async (node: string, counter: string): Promise<number> =>
    Number(/bytes (\d+)/.exec(await onNode(node, `nft list counter inet seen ${counter}`))?.[1]);
  const inPod = async (pod: string, script: string): Promise<string> =>
    await must(lab.kubectl(["exec", pod, "--", "sh", "-c", script]));
  const assertReaches = async (pod: string, address: string): Promise<void> => {
    await eventually(async () => assert.match(await inPod(pod, `curl -sSg -m 2 http://${address}/`), /nginx/i));
  };

  test("says so in its status", async () => {
    const status = JSON.parse(await must(lab.netloom(["status", "-o", "json"]))) as { readonly network: string };
    assert.equal(status.network, "vxlan");
    assert.match(await must(lab.netloom(["status"])), /pods 10\.244\.0\.0\/16.* \(vxlan\)/);
  });

  test("carries pods' packets of full size between nodes, and nothing of them bare", async () => {
    for (const node of ["node-1", "node-2"]) await onNode(node, `nft '${counters}'`);
    await inPod("far", "head -c 3000000 /dev/zero > /usr/share/nginx/html/large");
    for (const far of await addressesOf("far")) {
      assert.equal((await inPod("near", `curl -sSg -m 10 http://${far}/large | wc -c`)).trim(), "3000000");
    }
    assert.match(await inPod("near", "cat /sys/class/net/eth0/mtu"), /^1450/);
    assert.ok((await bytesSeen("node-1", "wrapped")) > 3_000_000 * (await addressesOf("far")).length);
  });

  test("serves Services by name, from nodes, and from outside by either node's port", async () => {
    await assertReaches("near", "far");
    const service = async (path: string): Promise<readonly string[]> =>
      (await must(lab.kubectl(["get", "service", "far", "-o", `jsonpath={${path}}`]))).split(" ");
    const [nodePort] = await service(".spec.ports[0].nodePort");
    for (const clusterIp of (await service(".spec.clusterIPs[*]")).map(inUrl)) {
      assert.match(await onNode("node-1", `curl -sSg -m 2 http://${clusterIp}/`), /nginx/i);
      assert.match(await inPod("near", `curl -sSg -m 2 http://${clusterIp}/`), /nginx/i);
    }
    for (const [index, name] of ["node-1", "node-2"].entries()) {
      const addresses = ["192.168.60.1", ...(hasIpv6 ? ["fd00:192:168:60::1"] : [])].map(
        (start) => `${start}${index + 1}`,
      );
      for (const node of addresses.map(inUrl)) {
        assert.match(await onNode("outside", `curl -sSg -m 2 http://${node}:${nodePort}/`), /nginx/i, name);
        assert.match(await inPod("near", `curl -sSg -m 2 http://${node}:${nodePort}/`), /nginx/i, name);
      }
    }
  });

  test("lets nothing of pods onto the node network but wrapped or under their node's address", async () => {
    for (const node of ["node-1", "node-2"]) assert.equal(await bytesSeen(node, "bare"), 0, node);
    // The API server is on no node: it sees the pod's node.
    const audit = await must(lab.netloom(["logs", "audit", "-o", "json"]));
    assert.doesNotMatch(audit, /"sourceIPs":\["10\.244\./);
    assert.match(audit, /"sourceIPs":\["192\.168\.60\.1[12]"\]/);
  });

  test("puts back what was deleted by hand, with an event on the node", async () => {
    await onNode("node-1", "ip link del overlay1");
    await assertReaches("near", await addressOf("far"));
    await onNode(
      "node-1",
      "bridge fdb flush dev overlay1 2>/dev/null || bridge fdb del 02:01:c0:a8:3c:0c dev overlay1 self",
    );
    await assertReaches("near", await addressOf("far"));
    await eventually(async () => {
      const events = await must(
        lab.kubectl(["get", "events", "--field-selector", "reason=NetworkRepaired,involvedObject.name=node-1"]),
      );
      assert.match(events, /pod-network.*create-link overlay1/);
      assert.match(events, /pod-network.*set-forwarding 02:01:c0:a8:3c:0c to 192\.168\.60\.12 on overlay1/);
    });
  });

  test("takes in a node that is added, and forgets one that is deleted", async () => {
    await must(lab.netloom(["node", "add"]));
    await runOn("farther", "node-3");
    await assertReaches("near", await addressOf("farther"));
    assert.match(await onNode("node-2", "bridge fdb show dev overlay1"), /dst 192\.168\.60\.13/);
    await must(lab.netloom(["node", "delete", "node-3"]));
    await eventually(async () => {
      assert.doesNotMatch(
        await onNode("node-2", "bridge fdb show dev overlay1; ip route; ip neigh show nud permanent"),
        /192\.168\.60\.13|10\.244\.3\./,
      );
    });
  });

  test("is the same after a node, and the whole cluster, was stopped and started", async () => {
    await must(lab.netloom(["node", "stop", "node-2"]));
    await must(lab.netloom(["node", "start", "node-2"]));
    await must(lab.kubectl(["delete", "pod", "far", "--ignore-not-found", "--now"]));
    await runOn("far", "node-2");
    await assertReaches("near", await addressOf("far"));
    await must(lab.netloom(["stop"]));
    const other = await lab.netloom(["up", "--network", "host-gw"]);
    assert.match(other.stderr, /Cannot start the stopped cluster "netloom" with another --network/);
    await must(lab.netloom(["start"]));
    await eventually(async () => await must(lab.kubectl(["wait", "--for=condition=Ready", "pod/near", "pod/far"])));
    await assertReaches("near", await addressOf("far"));
  });
});
