import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import { describe, test } from "node:test";
import { decodeMessage, encodeMessage, rcodes, recordTypes } from "../../../lib/dns-message/index.ts";
import { FakeClock } from "../../../machinery/fake-clock.ts";
import type { CacheConfig, CacheSide } from "../corefile/index.ts";
import { emptyReply } from "../handler.ts";
import type { Handler, Reply, Request } from "../handler.ts";
import { createDnsMetrics } from "../metrics.ts";
import { cachePlugin } from "./cache.ts";
import { forwardPlugin } from "./forward.ts";
import { loopPlugin } from "./loop.ts";
import { nameserversOf } from "./resolv-conf.ts";
import { createUpstream } from "./upstream.ts";
import type { Upstream } from "./upstream.ts";

function request(name: string, type: keyof typeof recordTypes = "A"): Request {
  return {
    askedName: name,
    name,
    type: recordTypes[type],
    class: 1,
    transport: "udp",
    isDnssecOk: false,
    isRecursionDesired: true,
    turn: 0,
  };
}

function address(name: string, ttlSeconds: number): Reply {
  const data = { type: "A", address: "192.0.2.1" } as const;
  return { ...emptyReply("NOERROR", "test"), isAuthoritative: true, answers: [{ name, class: 1, ttlSeconds, data }] };
}

const side: CacheSide = { capacity: 2, maxTtlSeconds: 30, minTtlSeconds: 5, disabled: ["cluster.local."] };
const cacheConfig: CacheConfig = { zones: ["."], success: side, denial: side };

function cached(reply: (name: string) => Reply) {
  const clock = new FakeClock();
  const asked: string[] = [];
  const plugin = cachePlugin({
    config: cacheConfig,
    now: () => clock.now(),
    metrics: createDnsMetrics(),
    server: "dns://:53",
  });
  const handler = plugin(({ name }) => {
    asked.push(name);
    return reply(name);
  });
  return { clock, asked, handler };
}

describe("cache", () => {
  test("keeps a reply for its TTL, at most the configured one, and counts it down", async () => {
    const { clock, asked, handler } = cached((name) => address(name, 300));
    const ttl = async (): Promise<number | undefined> => (await handler(request("a."))).answers[0]?.ttlSeconds;
    assert.equal(await ttl(), 30);
    await clock.advance(10_000);
    assert.equal(await ttl(), 20);
    await clock.advance(20_000);
    assert.equal(await ttl(), 30);
    assert.deepEqual(asked, ["a.", "a."]);
  });

  test("keeps that there is no such name, and does not keep errors", async () => {
    const denial = cached(() => emptyReply("NXDOMAIN", "test"));
    await denial.handler(request("a."));
    assert.equal((await denial.handler(request("a."))).rcode, rcodes.NXDOMAIN);
    assert.equal(denial.asked.length, 1);
    const failure = cached(() => emptyReply("SERVFAIL", "test"));
    await failure.handler(request("a."));
    await failure.handler(request("a."));
    assert.equal(failure.asked.length, 2);
  });

  test("leaves out the zones it is disabled for, tells types apart and drops the oldest beyond its capacity", async () => {
    const { asked, handler } = cached((name) => address(name, 300));
    for (const name of ["web.cluster.local.", "web.cluster.local.", "a.", "b.", "c.", "a."])
      await handler(request(name));
    assert.deepEqual(asked, ["web.cluster.local.", "web.cluster.local.", "a.", "b.", "c.", "a."]);
    await handler(request("a.", "AAAA"));
    assert.equal(asked.length, 7);
  });
});

function upstream(name: string, reply: Reply | undefined, isHealthy = true): Upstream & { asked: number } {
  const made = {
    isHealthy,
    asked: 0,
    ask: () => {
      made.asked += 1;
      return Promise.resolve(reply && { ...reply, plugin: name });
    },
  };
  return made;
}

const forwardConfig = {
  from: ".",
  to: [],
  except: ["cluster.local."],
  policy: "sequential",
  forceTcp: false,
  preferUdp: false,
} as const;

function forwarding(upstreams: readonly Upstream[], more: { readonly maxConcurrent?: number } = {}): Handler {
  const config = { ...forwardConfig, ...more };
  const plugin = forwardPlugin({ config, upstreams, metrics: createDnsMetrics(), random: () => 0 });
  return plugin(() => emptyReply("NXDOMAIN", "next"));
}

describe("forward", () => {
  test("asks the next resolver where one does not answer, and none that is unhealthy", async () => {
    const ill = upstream("ill", address("a.", 1), false);
    const silent = upstream("silent", undefined);
    const well = upstream("well", address("a.", 1));
    assert.equal((await forwarding([ill, silent, well])(request("a."))).plugin, "well");
    assert.deepEqual([ill.asked, silent.asked, well.asked], [0, 1, 1]);
  });

  test("answers SERVFAIL at once without a resolver that works", async () => {
    assert.equal((forwarding([])(request("a.")) as Reply).rcode, rcodes.SERVFAIL);
    assert.equal((await forwarding([upstream("ill", undefined, false)])(request("a."))).rcode, rcodes.SERVFAIL);
  });

  test("passes on what is excepted and refuses more than max_concurrent", async () => {
    const handler = forwarding([upstream("well", address("a.", 1))], { maxConcurrent: 1 });
    assert.equal((await handler(request("x.cluster.local."))).plugin, "next");
    const [first, second] = [handler(request("a.")), handler(request("a."))];
    assert.equal((await second).rcode, rcodes.REFUSED);
    assert.equal((await first).rcode, rcodes.NOERROR);
    assert.equal((await handler(request("a."))).rcode, rcodes.NOERROR);
  });
});

test("loop calls out at the third question for its own name", () => {
  let isFound = false;
  const handler = loopPlugin({ name: "1.2.", onLoop: () => (isFound = true) })(() => emptyReply("NXDOMAIN", "next"));
  void handler(request("1.2."));
  void handler(request("1.2."));
  void handler(request("other."));
  assert.equal(isFound, false);
  void handler(request("1.2."));
  assert.equal(isFound, true);
});

test("nameserversOf() takes three addresses and leaves out what is none", () => {
  const text =
    "search a b\nnameserver 10.0.0.1\n nameserver fd00::1 # second\n#nameserver 1.1.1.1\nnameserver fe80::1%eth0\nnameserver 3.3.3.3\nnameserver 4.4.4.4\n";
  assert.deepEqual(nameserversOf(text), ["10.0.0.1", "fd00::1", "3.3.3.3"]);
});

/** A resolver on loopback: `answer` gets the question and returns the replies to send. */
async function withResolver(
  answer: (bytes: Buffer) => readonly Uint8Array[],
  use: (upstream: Upstream, clock: FakeClock, socket: Socket) => Promise<void>,
): Promise<void> {
  const socket = createSocket("udp4");
  const stop = new AbortController();
  socket.on("message", (bytes, { port, address: host }) => {
    for (const reply of answer(bytes)) socket.send(reply, port, host);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  const clock = new FakeClock();
  const made = createUpstream({
    address: { host: "127.0.0.1", port: socket.address().port },
    clock,
    metrics: createDnsMetrics(),
    random: Math.random,
    signal: stop.signal,
  });
  try {
    await use(made, clock, socket);
  } finally {
    stop.abort();
    socket.close();
  }
}

function replyTo(bytes: Buffer, more: { readonly id?: number; readonly name?: string } = {}): Buffer {
  const asked = decodeMessage(bytes);
  const { edns: _edns, ...message } = asked;
  const questions = asked.questions.map((question) => ({ ...question, name: more.name ?? question.name }));
  const answers = address(asked.questions[0]?.name ?? ".", 60).answers;
  return encodeMessage({
    ...message,
    id: more.id ?? asked.id,
    isResponse: true,
    isRecursionAvailable: true,
    questions,
    answers,
  });
}

function forged(bytes: Buffer): readonly Uint8Array[] {
  return [
    Buffer.from("no message"),
    replyTo(bytes, { id: decodeMessage(bytes).id ^ 1 }),
    replyTo(bytes, { name: "other.example." }),
    replyTo(bytes),
  ];
}

describe("an upstream", () => {
  test("takes the answer with its id and question, and no other", async () => {
    await withResolver(forged, async (resolver) => {
      const reply = await resolver.ask(request("www.example."), { useTcp: false });
      assert.deepEqual([reply?.answers.length, reply?.isRecursionAvailable], [1, true]);
    });
  });

  test("is unhealthy where it does not answer the first question, which nobody waits for", async () => {
    await withResolver(
      () => [],
      async (resolver, clock) => {
        assert.equal(resolver.isHealthy, true);
        await clock.advance(2000);
        assert.equal(resolver.isHealthy, false);
      },
    );
  });

  test("is unhealthy after two time-outs, and healthy again once a probe is answered", async () => {
    let isSilent = false;
    await withResolver(
      (bytes) => (isSilent ? [] : [replyTo(bytes)]),
      async (resolver, clock) => {
        assert.notEqual(await resolver.ask(request("www.example."), { useTcp: false }), undefined);
        isSilent = true;
        for (let failure = 0; failure < 2; failure += 1) {
          assert.equal(resolver.isHealthy, true);
          const asking = resolver.ask(request("www.example."), { useTcp: false });
          await clock.advance(2000);
          assert.equal(await asking, undefined);
        }
        assert.equal(resolver.isHealthy, false);
        isSilent = false;
        await clock.advance(500);
        // The probe travels over a real socket: wait for it, time standing still.
        for (let turn = 0; turn < 1000 && !resolver.isHealthy; turn += 1) await new Promise(setImmediate);
        assert.equal(resolver.isHealthy, true);
      },
    );
  });

  test("does not answer where its port is closed, over UDP and TCP, without waiting", async () => {
    await withResolver(
      () => [],
      async (resolver, _clock, socket) => {
        await new Promise<void>((resolve) => socket.close(() => resolve()));
        assert.equal(await resolver.ask(request("www.example."), { useTcp: true }), undefined);
        assert.equal(await resolver.ask(request("www.example."), { useTcp: false }), undefined);
        socket.close = () => socket;
      },
    );
  });
});
