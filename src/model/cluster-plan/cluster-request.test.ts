import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { ClusterOptionsError, clusterSettings, flagOf, readClusterDocument, readClusterRequest } from "./index.ts";

const file = "netloom.yaml";
const head = { apiVersion: "netloom.dev/v1alpha1", kind: "Cluster" };

function mistakesOf(flags: Readonly<Record<string, unknown>>, document?: unknown): readonly string[] {
  try {
    readClusterRequest({ flags, file, document: document === undefined ? undefined : readClusterDocument(document) });
    return [];
  } catch (error) {
    if (error instanceof ClusterOptionsError) return error.mistakes;
    throw error;
  }
}

describe("readClusterRequest()", () => {
  test("lets flags win over the file, and the file over defaults", () => {
    const document = readClusterDocument({
      ...head,
      metadata: { name: "ci" },
      spec: { nodes: 5, wait: "30s", images: ["catalog"], network: "vxlan" },
    });
    assert.deepEqual(readClusterRequest({ flags: { nodes: "2", auditLog: true }, document, file }), {
      options: { name: "ci", nodes: 2, images: "catalog", network: "vxlan", auditLog: true },
      waitMs: 30_000,
    });
    assert.deepEqual(readClusterRequest({ flags: { wait: "0", name: "x" } }), {
      options: { name: "x" },
      waitMs: undefined,
    });
  });

  test("tells everything that is wrong with a file in one answer, with paths and what is offered", () => {
    const mistakes = mistakesOf(
      {},
      {
        ...head,
        kind: "Custer",
        metadata: { name: "Über" },
        spec: {
          nodes: 0,
          wait: "soon",
          podCidr: "10.244.0.0/33",
          serviceCidr: 7,
          nodeCidr: "127.0.0.0/24",
          outsideCidr: ["192.168.61.0/24"],
          clusterDomain: "a..b",
          nodePortRange: "5-4",
          maxPods: "many",
          network: "wireguard",
          ipFamily: "ipv5",
          images: "catalog",
          apiPort: 70_000,
          agents: 0,
          auditLog: "yes",
          kubeconfig: false,
          colour: "red",
        },
      },
    );
    const expected = [
      /^netloom\.yaml: kind: must be "Cluster", not "Custer"$/,
      /^netloom\.yaml: spec\.colour: unknown field; known are nodes, wait, podCidr, /,
      /^netloom\.yaml: spec\.wait: must be a duration such as "30s" or "1m30s", or 0, not "soon"$/,
      /^netloom\.yaml: spec\.serviceCidr: must be a range such as "10\.96\.0\.0\/12" or "fd00:10:96::\/112", .*, not 7$/,
      /^netloom\.yaml: spec\.outsideCidr: must be a range such as .*, not \["192\.168\.61\.0\/24"\]$/,
      /^netloom\.yaml: spec\.maxPods: must be a whole number from 1 to 253, not "many"$/,
      /^netloom\.yaml: spec\.images: must be a list of sources; there is one, "catalog", not "catalog"$/,
      /^netloom\.yaml: spec\.auditLog: must be true or false, not "yes"$/,
      /^netloom\.yaml: spec\.kubeconfig: must be the name of a file, not false$/,
      /^netloom\.yaml: metadata\.name "Über": use at most 30 lower-case letters/,
      /^netloom\.yaml: spec\.nodes "0": use a whole number from 1 to 200$/,
      /^netloom\.yaml: spec\.ipFamily "ipv5": use one of ipv4, ipv6, dual$/,
      /^netloom\.yaml: spec\.podCidr: Cannot parse CIDR "10\.244\.0\.0\/33"/,
      /^netloom\.yaml: spec\.nodeCidr "127\.0\.0\.0\/24": it overlaps the loopback network/,
      /^netloom\.yaml: spec\.clusterDomain "a\.\.b": use a DNS name/,
      /^netloom\.yaml: spec\.nodePortRange "5-4": use FIRST-LAST/,
      /^netloom\.yaml: spec\.apiPort "70000": use a whole number from 1 to 65535$/,
      /^netloom\.yaml: spec\.agents "0": use a whole number from 1 to 200$/,
      /^netloom\.yaml: spec\.network "wireguard": use "host-gw".* or "vxlan"/,
    ];
    for (const message of expected) {
      assert.equal(mistakes.filter((mistake) => message.test(mistake)).length, 1, `${message}\n${mistakes.join("\n")}`);
    }
    assert.deepEqual(
      mistakes.filter((mistake) => !expected.some((message) => message.test(mistake))),
      [],
    );
  });

  test("tells mistakes of flags beside those of the file, each in its own words", () => {
    assert.deepEqual(
      mistakesOf(
        { nodes: "three", wait: "soon", apiPort: "-1", network: "ipip", kubeconfig: "" },
        { ...head, spec: { nodes: 0, maxPods: 0, agents: 0 } },
      ),
      [
        '--nodes "three": use a whole number from 1 to 200',
        '--wait "soon": use a duration such as "30s" or "1m30s", or 0',
        '--api-port "-1": use a port from 1 to 65535',
        'netloom.yaml: spec.maxPods "0": use a whole number from 1 to 253, what a node\'s /24 holds',
        'netloom.yaml: spec.agents "0": use a whole number from 1 to 200',
        '--kubeconfig "": name a file, or leave the option out',
        '--network "ipip": use "host-gw", plain routes from node to node, or "vxlan", packets wrapped in UDP',
      ],
    );
  });

  test("says nothing of defaults that stand in for what cannot be read", () => {
    // The default Service range would overlap these pods'; nobody asked for it.
    assert.deepEqual(mistakesOf({}, { ...head, spec: { podCidr: "10.100.0.0/16", serviceCidr: 1 } }).length, 1);
  });

  test("has words for a wrong value of every setting, from the file and from a flag", () => {
    for (const { key, offer } of clusterSettings) {
      const [mistake = ""] = mistakesOf({}, { ...head, spec: { [key]: {} } });
      assert.equal(mistake, `netloom.yaml: spec.${key}: must be ${offer}, not {}`);
    }
    for (const { key } of clusterSettings.filter(({ type }) => type === "number" || type === "duration")) {
      assert.match(mistakesOf({ [key]: "many" })[0] ?? "", new RegExp(`^${flagOf(key)} "many": use `));
    }
  });

  test("answers or refuses whatever it is given", () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.dictionary(fc.constantFrom("nodes", "podCidr", "wait"), fc.string()),
        (value, flags) => {
          mistakesOf(flags, { ...head, spec: value });
        },
      ),
    );
  });
});
