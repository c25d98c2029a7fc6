import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Service, ServiceSpec } from "../../../api/generated/types.ts";
import { fieldErrorText } from "../../../api/field-error.ts";
import { draftOf } from "../../../api/registry/index.ts";
import type { IpFamily } from "../../../lib/ip/index.ts";
import type { PerFamily } from "../../../model/cluster-config.ts";
import { settleFamilies } from "./families.ts";

interface Case {
  readonly cluster: PerFamily<IpFamily>;
  readonly spec: Partial<ServiceSpec>;
  readonly old?: Partial<ServiceSpec>;
}

const v4: PerFamily<IpFamily> = ["IPv4"];
const v6: PerFamily<IpFamily> = ["IPv6"];
const dual: PerFamily<IpFamily> = ["IPv4", "IPv6"];

function serviceOf(spec: Partial<ServiceSpec>): Service {
  return { spec: { type: "ClusterIP", selector: { app: "web" }, ...spec } };
}

function settle({ cluster, spec, old }: Case) {
  const service = draftOf<Service>(serviceOf(spec));
  const before = old === undefined ? undefined : serviceOf(old);
  const errors = settleFamilies(service, { old: before, families: cluster }).map(fieldErrorText);
  const { ipFamilyPolicy, ipFamilies, clusterIPs } = service.spec ?? {};
  return { errors, ipFamilyPolicy, ipFamilies, clusterIPs };
}

const headless = { clusterIP: "None", clusterIPs: ["None"] };
const both = { clusterIP: "10.96.0.7", clusterIPs: ["10.96.0.7", "fd00:10:96::7"], ipFamilies: ["IPv4", "IPv6"] };
const one = { clusterIP: "10.96.0.7", clusterIPs: ["10.96.0.7"], ipFamilies: ["IPv4"] };

describe("settleFamilies() gives policy and families", () => {
  const given: readonly (readonly [string, Case, string | undefined, readonly string[] | undefined])[] = [
    ["nothing asked: the cluster's first family", { cluster: dual, spec: {} }, "SingleStack", ["IPv4"]],
    ["an IPv6 cluster", { cluster: v6, spec: {} }, "SingleStack", ["IPv6"]],
    ["the other family", { cluster: dual, spec: { ipFamilies: ["IPv6"] } }, "SingleStack", ["IPv6"]],
    [
      "PreferDualStack where there are two",
      { cluster: dual, spec: { ipFamilyPolicy: "PreferDualStack" } },
      "PreferDualStack",
      ["IPv4", "IPv6"],
    ],
    [
      "PreferDualStack where there is one",
      { cluster: v6, spec: { ipFamilyPolicy: "PreferDualStack" } },
      "PreferDualStack",
      ["IPv6"],
    ],
    [
      "RequireDualStack, the other family first",
      { cluster: dual, spec: { ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv6"] } },
      "RequireDualStack",
      ["IPv6", "IPv4"],
    ],
    [
      "a chosen address",
      { cluster: dual, spec: { clusterIP: "fd00:10:96::7", clusterIPs: ["fd00:10:96::7"] } },
      "SingleStack",
      ["IPv6"],
    ],
    ["headless with a selector", { cluster: dual, spec: headless }, "SingleStack", ["IPv4"]],
    [
      "headless without: both, whatever the cluster has",
      { cluster: v4, spec: { ...headless, selector: {} } },
      "RequireDualStack",
      ["IPv4", "IPv6"],
    ],
    ["ExternalName has none", { cluster: dual, spec: { type: "ExternalName" } }, undefined, undefined],
    [
      "an upgrade",
      {
        cluster: dual,
        spec: { ...one, ipFamilyPolicy: "PreferDualStack" },
        old: { ...one, ipFamilyPolicy: "SingleStack" },
      },
      "PreferDualStack",
      ["IPv4", "IPv6"],
    ],
    [
      "PreferDualStack from before the cluster had two stays as it was",
      {
        cluster: dual,
        spec: { ...one, ipFamilyPolicy: "PreferDualStack" },
        old: { ...one, ipFamilyPolicy: "PreferDualStack" },
      },
      "PreferDualStack",
      ["IPv4"],
    ],
    [
      "a PUT that leaves the policy out",
      { cluster: dual, spec: both, old: { ...both, ipFamilyPolicy: "RequireDualStack" } },
      "RequireDualStack",
      ["IPv4", "IPv6"],
    ],
  ];
  for (const [name, what, policy, families] of given) {
    test(name, () => {
      const { errors, ipFamilyPolicy, ipFamilies } = settle(what);
      assert.deepEqual(errors, []);
      assert.deepEqual([ipFamilyPolicy, ipFamilies], [policy, families]);
    });
  }

  test("a downgrade lets the secondary address go", () => {
    const old = { ...both, ipFamilyPolicy: "PreferDualStack" };
    assert.deepEqual(settle({ cluster: dual, spec: { ...both, ipFamilyPolicy: "SingleStack" }, old }), {
      errors: [],
      ipFamilyPolicy: "SingleStack",
      ipFamilies: ["IPv4"],
      clusterIPs: ["10.96.0.7"],
    });
  });
});

describe("settleFamilies() refuses in upstream's words", () => {
  const refused: readonly (readonly [string, Case, string])[] = [
    [
      "two families that the cluster has not",
      { cluster: v4, spec: { ipFamilyPolicy: "RequireDualStack" } },
      'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
    ],
    [
      "a family that the cluster has not",
      { cluster: v4, spec: { ipFamilies: ["IPv6"] } },
      'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
    ],
    [
      "an address of a family that the cluster has not",
      { cluster: v6, spec: { clusterIP: "10.96.0.7", clusterIPs: ["10.96.0.7"] } },
      'spec.clusterIPs[0]: Invalid value: ["10.96.0.7"]: IPv4 is not configured on this cluster',
    ],
    [
      "two addresses and SingleStack",
      { cluster: dual, spec: { ...both, ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack" } },
      "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be RequireDualStack or PreferDualStack when multiple 'clusterIPs' are specified",
    ],
    [
      "an address that is not of the family beside it",
      { cluster: dual, spec: { ...one, ipFamilies: ["IPv6"] } },
      'spec.clusterIPs[0]: Invalid value: "10.96.0.7": expected an IPv6 value as indicated by `ipFamilies[0]`',
    ],
    [
      "two addresses of one family",
      { cluster: dual, spec: { clusterIP: "10.96.0.7", clusterIPs: ["10.96.0.7", "10.96.0.8"] } },
      'spec.clusterIPs: Invalid value: ["10.96.0.7","10.96.0.8"]: may specify no more than one IP for each IP family',
    ],
    [
      "an address that goes without SingleStack",
      {
        cluster: dual,
        spec: { ...one, ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "PreferDualStack" },
        old: { ...both, ipFamilyPolicy: "PreferDualStack" },
      },
      "spec.ipFamilyPolicy: Invalid value: \"PreferDualStack\": must be 'SingleStack' to release the secondary cluster IP",
    ],
    [
      "a family that is named twice",
      { cluster: dual, spec: { ipFamilies: ["IPv4", "IPv4"], ipFamilyPolicy: "PreferDualStack" } },
      'spec.ipFamilies[1]: Duplicate value: "IPv4"',
    ],
  ];
  for (const [name, what, message] of refused) {
    test(name, () => assert.deepEqual(settle(what).errors, [message]));
  }
});
