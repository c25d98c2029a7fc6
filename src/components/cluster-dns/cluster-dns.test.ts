import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { describe, test } from "node:test";
import type { EndpointSlice, Namespace, Service } from "../../api/generated/types.ts";
import type { KubernetesObject } from "../../api/object.ts";
import {
  decodeMessage,
  encodeMessage,
  frame,
  frameReader,
  queryMessage,
  rcodeName,
  recordTypes,
} from "../../lib/dns-message/index.ts";
import type { DnsMessage } from "../../lib/dns-message/index.ts";
import { FakeClock } from "../../machinery/fake-clock.ts";
import type { ListWatch } from "../../machinery/informer/index.ts";
import { silentLogger } from "../../machinery/log.ts";
import { createClusterDns } from "./cluster-dns.ts";

const namespaces: readonly Namespace[] = [{ metadata: { name: "default", uid: "1", resourceVersion: "1" } }];
const services: readonly Service[] = [
  {
    metadata: { name: "web", namespace: "default", uid: "2", resourceVersion: "2" },
    spec: { clusterIP: "10.96.0.20", clusterIPs: ["10.96.0.20"], ports: [{ name: "http", port: 80 }] },
  },
  {
    metadata: { name: "many", namespace: "default", uid: "3", resourceVersion: "3" },
    spec: { clusterIP: "None", clusterIPs: ["None"] },
  },
  {
    metadata: { name: "alias", namespace: "default", uid: "5", resourceVersion: "5" },
    spec: { type: "ExternalName", externalName: "web.default.svc.cluster.local" },
  },
  {
    metadata: { name: "circle", namespace: "default", uid: "6", resourceVersion: "6" },
    spec: { type: "ExternalName", externalName: "circle.default.svc.cluster.local" },
  },
];
const slices: readonly EndpointSlice[] = [
  {
    metadata: {
      name: "many-1",
      namespace: "default",
      uid: "4",
      resourceVersion: "4",
      labels: { "kubernetes.io/service-name": "many" },
    },
    addressType: "IPv4",
    endpoints: Array.from({ length: 60 }, (_, index) => ({ addresses: [`10.244.1.${index + 1}`] })),
  },
];

/** An API server of fixed objects, whose watches stay open and silent. */
function source(): ListWatch {
  const items: Readonly<Record<string, readonly KubernetesObject[]>> = { namespaces, services, endpointslices: slices };
  return {
    list: (resource) =>
      Promise.resolve({
        metadata: { resourceVersion: "9" },
        items: structuredClone(items[resource.plural] ?? []) as never[],
      }),
    // oxlint-disable-next-line require-yield -- no event ever comes
    watch: async function* (_resource, { signal }) {
      await new Promise((resolve) => {
        signal.addEventListener("abort", resolve);
      });
    },
  };
}

const corefile = `.:PORT {
  errors
  kubernetes cluster.local in-addr.arpa ip6.arpa {
    pods insecure
    fallthrough in-addr.arpa ip6.arpa
    ttl 30
  }
  cache 30 {
    disable success cluster.local
    disable denial cluster.local
  }
  loadbalance
}`;

interface Running {
  readonly port: number;
  readonly clock: FakeClock;
  readonly setCorefile: (text: string) => void;
}

async function withServer(text: string, use: (running: Running) => Promise<void>, from = source): Promise<void> {
  const stop = new AbortController();
  const clock = new FakeClock();
  let current = text;
  const dns = createClusterDns({
    readCorefile: () => current,
    source: from,
    log: silentLogger,
    clock,
    defaultPort: 0,
    localAddresses: ["127.0.0.1"],
    environment: {},
    random: () => 0.5,
    version: "test",
  });
  const running = dns.run(stop.signal);
  try {
    await Promise.race([dns.ready, running]);
    const [port = 0] = dns.ports;
    await use({ port, clock, setCorefile: (next) => (current = next) });
  } finally {
    stop.abort();
    await running;
  }
}

const served = corefile.replace(".:PORT", ".");

function question(name: string, type: keyof typeof recordTypes, more: Partial<DnsMessage> = {}): Buffer {
  return encodeMessage({ ...queryMessage({ id: 4242, name, type: recordTypes[type] }), ...more });
}

function overUdp(port: number, bytes: Uint8Array, address = "127.0.0.1"): Promise<DnsMessage> {
  const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
  return new Promise<DnsMessage>((resolve, reject) => {
    socket.once("error", reject);
    socket.once("message", (reply) => resolve(decodeMessage(reply)));
    socket.send(bytes, port, address);
  }).finally(() => socket.close());
}

function overTcp(port: number, bytes: readonly Uint8Array[]): Promise<readonly DnsMessage[]> {
  const socket = connect(port, "127.0.0.1");
  const replies: DnsMessage[] = [];
  return new Promise<readonly DnsMessage[]>((resolve, reject) => {
    socket.once("error", reject);
    const read = frameReader((reply) => {
      replies.push(decodeMessage(reply));
      if (replies.length === bytes.length) resolve(replies);
    });
    socket.on("data", read);
    socket.write(Buffer.concat(bytes.map(frame)));
  }).finally(() => socket.destroy());
}

function addresses({ answers }: DnsMessage): readonly string[] {
  return answers.flatMap(({ data }) => (data.type === "A" ? [data.address] : []));
}

describe("cluster-dns", () => {
  test("answers a service over UDP and TCP, authoritatively, with the id and case of the question", async () => {
    await withServer(served, async ({ port }) => {
      for (const id of [1, 2, 65_535]) {
        const reply = await overUdp(port, question("WEB.default.svc.cluster.local.", "A", { id }));
        assert.equal(reply.id, id);
        assert.equal(reply.isAuthoritative, true);
        assert.deepEqual(addresses(reply), ["10.96.0.20"]);
        assert.equal(reply.answers[0]?.name, "WEB.default.svc.cluster.local.");
      }
      const [first, second] = await overTcp(port, [
        question("web.default.svc.cluster.local.", "A", { id: 7 }),
        question("nothing.default.svc.cluster.local.", "A", { id: 8 }),
      ]);
      assert.deepEqual([first?.id, first === undefined ? [] : addresses(first)], [7, ["10.96.0.20"]]);
      assert.deepEqual([second?.id, rcodeName(second?.rcode ?? 0)], [8, "NXDOMAIN"]);
      assert.equal(second?.authorities[0]?.data.type, "SOA");
    });
  });

  test("cuts what exceeds the client's UDP size, with TC; TCP has it whole", async () => {
    await withServer(served, async ({ port }) => {
      const many = "many.default.svc.cluster.local.";
      const cut = await overUdp(port, question(many, "A"));
      assert.equal(cut.isTruncated, true);
      assert.ok(addresses(cut).length > 20 && addresses(cut).length < 60);
      const edns = { udpPayloadBytes: 4096, version: 0, isDnssecOk: false, options: [] };
      const whole = await overUdp(port, question(many, "A", { edns }));
      assert.deepEqual([whole.isTruncated, addresses(whole).length, whole.edns?.version], [false, 60, 0]);
      const [tcp] = await overTcp(port, [question(many, "A")]);
      assert.equal(tcp?.answers.length, 60);
    });
  });

  test("gives the addresses of a headless service in another order each time", async () => {
    await withServer(served, async ({ port }) => {
      const edns = { udpPayloadBytes: 4096, version: 0, isDnssecOk: false, options: [] };
      const firsts = new Set<string | undefined>();
      for (let turn = 0; turn < 40; turn += 1) {
        const reply = await overUdp(port, question("many.default.svc.cluster.local.", "A", { edns }));
        assert.equal(new Set(addresses(reply)).size, 60);
        firsts.add(addresses(reply)[0]);
      }
      assert.equal(firsts.size, 16);
    });
  });

  test("gives questions that differ in EDNS options the same answer, and those that differ in EDNS flags their own", async () => {
    await withServer(served, async ({ port }) => {
      const ask = async (cookie: string, isDnssecOk: boolean): Promise<DnsMessage> => {
        const options = [{ code: 10, bytes: new TextEncoder().encode(cookie) }];
        const edns = { udpPayloadBytes: 1232, version: 0, isDnssecOk, options };
        return overUdp(port, question("web.default.svc.cluster.local.", "A", { edns }));
      };
      assert.deepEqual(await ask("first---", false), await ask("another-cookie", false));
      assert.equal((await ask("first---", true)).edns?.isDnssecOk, true);
      assert.equal((await ask("first---", false)).edns?.isDnssecOk, false);
    });
  });

  test("follows an alias within the cluster and ends one that leads in a circle", async () => {
    await withServer(served, async ({ port }) => {
      const reply = await overUdp(port, question("alias.default.svc.cluster.local.", "A"));
      assert.deepEqual(
        reply.answers.map(({ data }) => data.type),
        ["CNAME", "A"],
      );
      const circle = await overUdp(port, question("circle.default.svc.cluster.local.", "A"));
      assert.deepEqual(
        circle.answers.map(({ data }) => data.type),
        ["CNAME"],
      );
    });
  });

  test("refuses what it does not serve", async () => {
    await withServer(served.replace(". {", "cluster.local in-addr.arpa {"), async ({ port }) => {
      const rcode = async (bytes: Buffer): Promise<string> => rcodeName((await overUdp(port, bytes)).rcode);
      assert.equal(await rcode(question("example.com.", "A")), "REFUSED");
      assert.equal(await rcode(question("cluster.local.", "AXFR")), "REFUSED");
      assert.equal(await rcode(question("cluster.local.", "A", { opcode: 5 })), "NOTIMP");
      assert.equal(await rcode(question("cluster.local.", "A", { questions: [] })), "FORMERR");
      const edns = { udpPayloadBytes: 1232, version: 1, isDnssecOk: false, options: [] };
      assert.equal(await rcode(question("cluster.local.", "A", { edns })), "BADVERS");
      assert.equal(
        await rcode(Buffer.concat([question("cluster.local.", "A").subarray(0, 14), Buffer.from([0xff])])),
        "FORMERR",
      );
      assert.equal(await rcode(question("1.2.3.4.in-addr.arpa.", "PTR")), "SERVFAIL");
    });
  });

  test("takes a changed Corefile, and keeps the former one where the change is wrong", async () => {
    const reloading = `. {\n hosts { 1.2.3.4 a.example\n }\n reload 2s 0s\n}`;
    await withServer(reloading, async ({ port, clock, setCorefile }) => {
      const ask = async (): Promise<readonly string[]> => addresses(await overUdp(port, question("a.example.", "A")));
      assert.deepEqual(await ask(), ["1.2.3.4"]);
      setCorefile("nonsense");
      await clock.advance(2000);
      assert.deepEqual(await ask(), ["1.2.3.4"]);
      setCorefile(reloading.replace("1.2.3.4", "5.6.7.8"));
      await clock.advance(2000);
      assert.deepEqual(await ask(), ["5.6.7.8"]);
    });
  });

  test("does not start with a Corefile that is wrong, and says all that is", async () => {
    await assert.rejects(
      withServer(". {\n kubernets\n forward .\n}", () => Promise.resolve()),
      /line 2: unknown plugin "kubernets".*line 3: forward: it needs a zone and at least one target/,
    );
  });
});
