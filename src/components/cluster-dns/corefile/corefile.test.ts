import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { matchesLabels } from "../../../lib/labels/index.ts";
import { CorefileError, readCorefile } from "./index.ts";
import { parseDurationMs, parseHostAndPort, parseServerKey, parseZone } from "./values.ts";

function problems(text: string): readonly string[] {
  try {
    readCorefile(text);
    return [];
  } catch (error) {
    assert.ok(error instanceof CorefileError);
    return error.problems.map(({ line, text: problem }) => `${line}: ${problem}`);
  }
}

describe("readCorefile()", () => {
  test("reads several server blocks, keys with ports, comments, quotes and variables", () => {
    const text = `# everything
example.org:1053, example.net {
  hosts "/etc/my hosts" { # beside
    ttl 60
    fallthrough
  }
}
. {
  forward . {$UPSTREAM} 9.9.9.9
}`;
    const servers = readCorefile(text, { environment: { UPSTREAM: "10.0.0.1:5353" } });
    assert.deepEqual(
      servers.map(({ zone, port, line }) => [zone, port, line]),
      [
        ["example.org.", 1053, 2],
        ["example.net.", 53, 2],
        [".", 53, 8],
      ],
    );
    assert.deepEqual(servers[2]?.plugins.forward?.to, ["10.0.0.1:5353", "9.9.9.9"]);
    assert.deepEqual(servers[0]?.plugins.hosts?.fallthrough, ["."]);
  });

  test("names all that is wrong, each with its line", () => {
    const text = `.:99999 {
  kubernets cluster.local
  kubernetes cluster.local {
    pods maybe
    endpoint https://1.2.3.4
  }
  acl
  cache many
  cache 30
  reload 1s
  forward . nonsense:port
}`;
    assert.deepEqual(problems(text), [
      '1: ".:99999" has no port from 1 to 65535',
      '2: unknown plugin "kubernets": did you mean "kubernetes"?',
      '4: kubernetes: pods must be disabled, insecure or verified, not "maybe"',
      '5: kubernetes: the option "endpoint" is not supported: there are pods, ttl, fallthrough, endpoint_pod_names, noendpoints, namespaces, labels',
      '7: the plugin "acl" of CoreDNS is not part of netloom\'s DNS: remove the line (there are: bind, cache, errors, forward, health, hosts, kubernetes, loadbalance, log, loop, prometheus, ready, reload)',
      '9: the plugin "cache" is given twice in one server block',
      '10: reload: the interval "1s" must be a duration of 2s or more',
      '11: forward: "nonsense:port" is no address',
    ]);
  });

  const broken: readonly (readonly [string, RegExp])[] = [
    ["", /no server block/],
    [". {\n errors\n", /line 1|1: the "{" of this line has no "}"/],
    ["}", /1: there is a "}" without its "{"/],
    [". {\n {\n}\n}", /2: a "{" must stand behind a name/],
    [". \n", /1: the server block "." needs a "{"/],
    [". {\n}\n.:53 {\n}", /3: ".:53" is served by the block of line 1 already/],
    ["tls://. {\n}", /only plain DNS/],
    [". {\n kubernetes\n}", /2: kubernetes: a zone is missing/],
  ];
  for (const [text, expected] of broken) {
    test(`refuses ${JSON.stringify(text)}`, () => assert.match(problems(text).join("\n"), expected));
  }

  test("ends with servers or with CorefileError, whatever the text", () => {
    const word = fc.constantFrom(
      ".",
      "{",
      "}",
      "\n",
      " ",
      "#",
      '"',
      "kubernetes",
      "cluster.local",
      "forward",
      "cache",
      "30",
      "hosts",
      "ttl",
      "1.2.3.4",
      "{$A}",
    );
    const texts = fc.oneof(
      fc.string(),
      fc.array(word, { maxLength: 40 }).map((words) => words.join(" ")),
    );
    fc.assert(
      fc.property(texts, (text) => void problems(text)),
      { numRuns: 300 },
    );
  });
});

test("values of Corefiles", () => {
  assert.deepEqual(parseServerKey("dns://Cluster.Local:5353", 53), { zone: "cluster.local.", port: 5353 });
  assert.deepEqual(parseServerKey(":1053", 53), { zone: ".", port: 1053 });
  assert.equal(parseZone("10.96.0.0/16"), "96.10.in-addr.arpa.");
  assert.equal(parseZone("-..-"), undefined);
  assert.deepEqual(parseHostAndPort("[::1]:53"), { host: "::1", port: 53 });
  assert.deepEqual(parseHostAndPort("fd00::1", 53), { host: "fd00::1", port: 53 });
  assert.equal(parseHostAndPort("127.0.0.1"), undefined);
  assert.equal(parseDurationMs("1m30s"), 90_000);
  assert.equal(parseDurationMs("5"), undefined);
});

test("the options of kubernetes are read, and a wrong selector is told with its line", () => {
  const read = (labels: string): ReturnType<typeof readCorefile> =>
    readCorefile(`.:53 {
  kubernetes cluster.local {
    endpoint_pod_names
    noendpoints
    namespaces shop default
    labels ${labels}
  }
}`);
  const [server] = read("app=web");
  const { usesPodNames, ignoresEndpoints, namespaces, selector } = server?.plugins.kubernetes ?? {};
  assert.deepEqual([usesPodNames, ignoresEndpoints, namespaces], [true, true, ["shop", "default"]]);
  assert.equal(matchesLabels(selector ?? [], { app: "web" }), true);
  assert.equal(matchesLabels(selector ?? [], { app: "api" }), false);
  assert.throws(
    () => read("app in"),
    (error) =>
      error instanceof CorefileError &&
      error.problems.some(({ line, text }) => line === 6 && text.startsWith("kubernetes: labels needs a selector")),
  );
});
