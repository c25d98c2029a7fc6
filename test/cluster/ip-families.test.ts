/** Clusters of IPv6 addresses, and of both families: what a user does with Services, names and pods works in each. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { type Answer, eventually, kubectls, type Lab, makeLab } from "./lab/index.ts";

const manifest = `
apiVersion: v1
kind: Pod
metadata: {name: one, labels: {app: web}}
spec:
  nodeName: node-1
  containers: [{name: web, image: kennethreitz/httpbin, ports: [{containerPort: 80, hostPort: 8888}], readinessProbe: {httpGet: {path: /get, port: 80}, periodSeconds: 1}}]
---
apiVersion: v1
kind: Pod
metadata: {name: two, labels: {app: web}}
spec:
  nodeName: node-2
  containers: [{name: web, image: kennethreitz/httpbin}]
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  nodeName: node-2
  containers:
  - name: client
    image: host
    command: [sleep, "1000000"]
    env:
    - {name: POD_IPS, valueFrom: {fieldRef: {fieldPath: status.podIPs}}}
    - {name: HOST_IPS, valueFrom: {fieldRef: {fieldPath: status.hostIPs}}}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, type: NodePort, ipFamilyPolicy: PreferDualStack, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: sticky}
spec: {selector: {app: web}, sessionAffinity: ClientIP, ipFamilyPolicy: PreferDualStack, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: names}
spec: {selector: {app: web}, clusterIP: None, ipFamilyPolicy: PreferDualStack, ports: [{port: 80}]}
`;

interface Expectations {
  readonly families: readonly ("IPv4" | "IPv6")[];
  readonly nodes: readonly (readonly string[])[];
  readonly kubernetes: string;
  readonly dns: string;
}

const clusters: Readonly<Record<string, Expectations>> = {
  ipv6: {
    families: ["IPv6"],
    nodes: [["fd00:192:168:60::11"], ["fd00:192:168:60::12"]],
    kubernetes: "fd00:10:96::1",
    dns: "fd00:10:96::a",
  },
  dual: {
    families: ["IPv4", "IPv6"],
    nodes: [
      ["192.168.60.11", "fd00:192:168:60::11"],
      ["192.168.60.12", "fd00:192:168:60::12"],
    ],
    kubernetes: "10.96.0.1",
    dns: "10.96.0.10",
  },
};

const inUrl = (address: string): string => (address.includes(":") ? `[${address}]` : address);
const words = (text: string): readonly string[] => text.trim().split(/\s+/).filter(Boolean);
const familyOf = (address: string): string => (address.includes(":") ? "IPv6" : "IPv4");

async function must(answer: Promise<Answer>): Promise<string> {
  const { code, stdout, stderr } = await answer;
  assert.equal(code, 0, stderr || stdout);
  return stdout;
}

for (const [name, expected] of Object.entries(clusters)) {
  describe(`a cluster of --ip-family ${name}`, () => {
    let lab: Lab;
    const kubectl = async (...args: readonly string[]): Promise<string> => await must(lab.kubectl(args));
    const get = async (what: string, path: string): Promise<string> =>
      await kubectl("get", ...words(what), "-o", `jsonpath=${path}`);
    /** A shell line in the pod "client". */
    const inClient = async (line: string): Promise<string> => await kubectl("exec", "client", "--", "sh", "-c", line);
    const onNode = async (node: string, ...command: readonly string[]): Promise<string> =>
      await must(lab.netloom(["exec", node, "--", ...command]));
    const curl = ["curl", "-sS", "-g", "-m", "5"] as const;
    const asked = (address: string, port = 80): string => `http://${inUrl(address)}:${port}/get`;
    /** Whom the server saw. */
    const originOf = (answer: string): string => /"origin": "([^"]*)"/.exec(answer)?.[1] ?? answer;

    before(async () => {
      lab = makeLab();
      await must(lab.netloom(["up", "--nodes", "2", "--ip-family", name]));
      await must(lab.kubectl(["apply", "-f", "-"], { input: manifest }));
      await kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=30s");
    });
    after(async () => await lab.end());

    test("tells its families everywhere", async () => {
      for (const [index, addresses] of expected.nodes.entries()) {
        const node = `node node-${index + 1}`;
        assert.deepEqual(words(await get(node, '{.status.addresses[?(@.type=="InternalIP")].address}')), addresses);
        assert.deepEqual(words(await get(node, "{.spec.podCIDRs[*]}")).map(familyOf), expected.families);
      }
      assert.equal(await get("service kubernetes", "{.spec.clusterIPs[*]}"), expected.kubernetes);
      assert.deepEqual(words(await get("service web", "{.spec.ipFamilies[*]}")), expected.families);
      assert.deepEqual(words(await get("service web", "{.spec.clusterIPs[*]}")).map(familyOf), expected.families);
      const slices = await get("endpointslices -l kubernetes.io/service-name=web", "{.items[*].addressType}");
      assert.deepEqual(words(slices).toSorted(), expected.families);
      const podIps = words(await get("pod client", "{.status.podIPs[*].ip}"));
      assert.equal(await get("pod client", "{.status.podIP}"), podIps[0]);
      assert.deepEqual(podIps.map(familyOf), expected.families);
      assert.equal(await inClient("echo $POD_IPS/$HOST_IPS"), `${podIps.join(",")}/${expected.nodes[1]?.join(",")}\n`);
      assert.deepEqual(words(await inClient("awk '$2 == \"client\" {print $1}' /etc/hosts")), podIps);
      assert.equal(await inClient("awk '/^nameserver/ {print $2}' /etc/resolv.conf"), `${expected.dns}\n`);
      assert.match(
        (await lab.netloom(["status"])).stdout,
        new RegExp(`node-1 +Ready +${expected.nodes[0]?.join(",")}`),
      );
    });

    test("carries packets between pods, of one node and of two, without changing them", async () => {
      const own = words(await get("pod client", "{.status.podIPs[*].ip}"));
      for (const pod of ["one", "two"]) {
        for (const [index, address] of words(await get(`pod ${pod}`, "{.status.podIPs[*].ip}")).entries()) {
          assert.equal(originOf(await kubectl("exec", "client", "--", ...curl, asked(address))), own[index]);
        }
      }
    });

    test("reaches Services by address, from pods and nodes, and refuses other ports at once", async () => {
      const own = words(await get("pod client", "{.status.podIPs[*].ip}"));
      const addresses = words(await get("service web", "{.spec.clusterIPs[*]}"));
      assert.equal(addresses.length, expected.families.length);
      for (const [index, address] of addresses.entries()) {
        assert.equal(originOf(await kubectl("exec", "client", "--", ...curl, asked(address))), own[index]);
        assert.equal(familyOf(originOf(await onNode("node-1", ...curl, asked(address)))), familyOf(address));
        const refused = await lab.kubectl(["exec", "client", "--", ...curl, asked(address, 81)]);
        assert.match(refused.stderr, /Failed to connect|refused/);
        assert.doesNotMatch(refused.stderr, /timed out/);
      }
    });

    test("reaches a pod from itself by its Service, and keeps a client with one pod", async () => {
      for (const address of words(await get("service sticky", "{.spec.clusterIPs[*]}"))) {
        const seen = await kubectl("exec", "one", "--", ...curl, ...Array<string>(8).fill(asked(address)));
        const origins = new Set([...seen.matchAll(/"origin": "([^"]*)"/g)].map(([, origin]) => origin));
        assert.equal(origins.size, 1, seen);
      }
    });

    test("answers names with all families' addresses, and addresses with names", async () => {
      const types = expected.families.map((family) => (family === "IPv4" ? "A" : "AAAA"));
      for (const [index, type] of types.entries()) {
        const service = words(await get("service web", "{.spec.clusterIPs[*]}"))[index] ?? "";
        assert.equal(await inClient(`dig +short web.default.svc.cluster.local ${type}`), `${service}\n`);
        assert.equal(await inClient(`dig +short -x ${service}`), "web.default.svc.cluster.local.\n");
        const pods = words(await get("pods -l app=web", `{.items[*].status.podIPs[${index}].ip}`));
        const listed = words(await inClient(`dig +short names.default.svc.cluster.local ${type}`));
        assert.deepEqual(listed.toSorted(), pods.toSorted());
      }
      if (!expected.families.includes("IPv4")) {
        assert.equal(await inClient("dig +short web.default.svc.cluster.local A"), "");
      }
    });

    test("serves node ports and host ports on every address of the nodes, to the outside and to this host", async () => {
      const port = Number(await get("service web", "{.spec.ports[0].nodePort}"));
      for (const address of expected.nodes.flat()) {
        for (const place of ["outside", "node-2"]) {
          assert.equal(familyOf(originOf(await onNode(place, ...curl, asked(address, port)))), familyOf(address));
        }
      }
      for (const address of expected.nodes[0] ?? []) await onNode("outside", ...curl, "-f", asked(address, 8888));
      await eventually(async () => {
        const ports = (await must(lab.netloom(["ports"]))).split("\n").slice(1).filter(Boolean).map(words);
        assert.deepEqual(
          ports.map(([, , , , state]) => state),
          ["open", "open"],
        );
        for (const [host = ""] of ports) await must(lab.shell(`curl -sf -m 5 http://${host}/get`));
      });
      const places = "127.0.0.1:18099, [::1]:18099";
      for (const repeated of [false, true]) {
        const told = await must(lab.netloom(["expose", "service/web", "18099:80"]));
        assert.ok(told.startsWith(`${places} -> service/web:80 (`), `${told} (${repeated ? "again" : "first"})`);
      }
      for (const host of ["127.0.0.1", "[::1]"]) await must(lab.shell(`curl -sfg -m 5 http://${host}:18099/get`));
      assert.equal(
        await must(lab.netloom(["expose", "service/web", "18099:80", "--remove"])),
        `${places} no longer lead to service/web\n`,
      );
    });

    test("lets pods use the API by its name and its address, trusted", async () => {
      const account = "/var/run/secrets/kubernetes.io/serviceaccount";
      for (const host of ["kubernetes.default", inUrl(expected.kubernetes), inUrl(expected.nodes[0]?.[0] ?? "")]) {
        const port = host === inUrl(expected.nodes[0]?.[0] ?? "") ? 10_250 : 443;
        const path = port === 443 ? "version" : "healthz";
        await inClient(
          `curl -sS -g -m 5 --cacert ${account}/ca.crt -H "Authorization: Bearer $(cat ${account}/token)" https://${host}:${port}/${path}`,
        );
      }
      assert.equal(await inClient("echo $KUBERNETES_SERVICE_HOST"), `${expected.kubernetes}\n`);
    });

    test("proxies to nodes, pods and Services, and forwards ports", async () => {
      for (const path of ["namespaces/default/services/web", "namespaces/default/pods/one:80"]) {
        assert.match(await kubectl("get", "--raw", `/api/v1/${path}/proxy/get`), /"origin"/);
      }
      assert.equal(await kubectl("get", "--raw", "/api/v1/nodes/node-2/proxy/healthz"), "ok");
      const forward = spawn(kubectls().at(-1)?.path ?? "kubectl", ["port-forward", "service/web", ":80"], {
        env: lab.env,
      });
      try {
        for await (const line of createInterface({ input: forward.stdout })) {
          const [, port] = /from 127\.0\.0\.1:(\d+)/.exec(line) ?? [];
          if (port === undefined) continue;
          await must(lab.shell(`curl -sf -m 5 http://127.0.0.1:${port}/get`));
          break;
        }
      } finally {
        forward.kill();
      }
    });

    test("upgrades and downgrades a Service, or says why not", async () => {
      await kubectl("expose", "pod", "one", "--name=single", "--port=80");
      const ask = async (policy: string): Promise<Answer> =>
        await lab.kubectl(["patch", "service", "single", "-p", JSON.stringify({ spec: { ipFamilyPolicy: policy } })]);
      const [first = ""] = words(await get("service single", "{.spec.clusterIPs[*]}"));
      if (expected.families.length === 1) {
        const { code, stderr } = await ask("RequireDualStack");
        assert.equal(code, 1);
        assert.match(stderr, /this cluster is not configured for dual-stack services/);
        return;
      }
      await must(ask("PreferDualStack"));
      const both = words(await get("service single", "{.spec.clusterIPs[*]}"));
      assert.deepEqual([both[0], ...both.map(familyOf)], [first, ...expected.families]);
      await eventually(async () => {
        await kubectl("exec", "client", "--", ...curl, "-f", asked(both[1] ?? ""));
      });
      await must(ask("SingleStack"));
      assert.equal(await get("service single", "{.spec.clusterIPs[*]} {.spec.ipFamilies[*]}"), `${first} IPv4`);
      await eventually(async () => {
        const { code } = await lab.kubectl(["exec", "client", "--", "curl", "-sg", "-m", "1", asked(both[1] ?? "")]);
        assert.notEqual(code, 0);
        const slices = await get("endpointslices -l kubernetes.io/service-name=single", "{.items[*].addressType}");
        assert.equal(slices, "IPv4");
      });
    });

    test("puts back routes and addresses of each family that were taken away by hand", async () => {
      const routes = async (): Promise<string> => await onNode("node-1", "sh", "-c", "ip route; ip -6 route");
      const present = await routes();
      for (const [index, family] of expected.families.entries()) {
        const ip = family === "IPv4" ? "ip -4" : "ip -6";
        const cidr = words(await get("node node-2", "{.spec.podCIDRs[*]}"))[index];
        const prefix = family === "IPv4" ? 24 : 64;
        await onNode("node-1", "sh", "-c", `${ip} route del ${cidr}`);
        await onNode("node-1", "sh", "-c", `${ip} addr del ${expected.nodes[0]?.[index]}/${prefix} dev eth0`);
      }
      await eventually(async () => assert.equal(await routes(), present));
      await eventually(async () => assert.match(await kubectl("get", "events", "-A"), /NetworkRepaired.*set-route/));
    });

    test("is the same after a stop and a start", async () => {
      const services = await get("services -A", "{.items[*].spec.clusterIPs[*]}");
      await must(lab.netloom(["stop"]));
      const other = await lab.netloom(["up", "--ip-family", name === "dual" ? "ipv6" : "dual"]);
      assert.match(other.stderr, /with another --ip-family/);
      await must(lab.netloom(["start"]));
      assert.equal(await get("services -A", "{.items[*].spec.clusterIPs[*]}"), services);
      await kubectl("wait", "--for=condition=Ready", "pod/one", "pod/client", "--timeout=30s");
      for (const address of words(await get("service web", "{.spec.clusterIPs[*]}"))) {
        await eventually(async () => {
          await kubectl("exec", "client", "--", ...curl, "-f", asked(address));
        });
      }
    });
  });
}
