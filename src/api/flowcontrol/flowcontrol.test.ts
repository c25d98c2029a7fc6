import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fieldErrorText } from "../field-error.ts";
import type { FlowSchemaSpec, PriorityLevelConfigurationSpec } from "../generated/types.ts";
import { mandatoryLevels, mandatorySchemas, suggestedLevels, suggestedSchemas } from "./first-objects.ts";
import { flowSchemas } from "./flow-schema.ts";
import { priorityLevelConfigurations } from "./priority-level.ts";

const now = new Date("2026-11-20T12:00:00Z");
const rule = {
  subjects: [{ kind: "User", user: { name: "jane" } }],
  nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/"] }],
};
const schemaSpec = { priorityLevelConfiguration: { name: "mine" }, matchingPrecedence: 500, rules: [rule] };

function schemaMistakes(spec: Partial<FlowSchemaSpec>, name = "mine"): readonly string[] {
  return flowSchemas.validate({ metadata: { name }, spec: { ...schemaSpec, ...spec } }).map(fieldErrorText);
}

function levelMistakes(spec: PriorityLevelConfigurationSpec, name = "mine"): readonly string[] {
  return priorityLevelConfigurations.validate({ metadata: { name }, spec }).map(fieldErrorText);
}

describe("a FlowSchema is refused in upstream's words", () => {
  const ofRule = (part: object): Partial<FlowSchemaSpec> => ({ rules: [{ ...rule, ...part }] });
  const ofResources = (part: object): Partial<FlowSchemaSpec> => {
    const whole = { verbs: ["get"], apiGroups: [""], resources: ["pods"], namespaces: ["default"], ...part };
    return { rules: [{ subjects: rule.subjects, resourceRules: [whole] }] };
  };
  const ofPaths = (...nonResourceURLs: readonly string[]): Partial<FlowSchemaSpec> =>
    ofRule({ nonResourceRules: [{ verbs: ["*"], nonResourceURLs }] });
  const verbs = '"create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"';
  const label =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
  const field = "spec.rules[0]";
  const paths = `${field}.nonResourceRules[0].nonResourceURLs`;
  const cases: readonly (readonly [Partial<FlowSchemaSpec>, ...string[]])[] = [
    [{}],
    [{ matchingPrecedence: -1 }, "spec.matchingPrecedence: Invalid value: -1: must be a positive value"],
    [{ matchingPrecedence: 10_001 }, "spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000"],
    [
      { matchingPrecedence: 1 },
      "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1",
    ],
    [
      { distinguisherMethod: { type: "ByMood" } },
      'spec.distinguisherMethod.type: Unsupported value: {"Type":"ByMood"}: supported values: "ByNamespace", "ByUser"',
    ],
    [
      { priorityLevelConfiguration: { name: "" } },
      "spec.priorityLevelConfiguration.name: Required value: must reference a priority level",
    ],
    [ofRule({ subjects: [] }), `${field}.subjects: Required value: subjects must contain at least one value`],
    [
      ofRule({ nonResourceRules: [] }),
      `${field}: Required value: at least one of resourceRules and nonResourceRules has to be non-empty`,
    ],
    [
      ofRule({ subjects: [{ kind: "Robot" }] }),
      `${field}.subjects[0].kind: Unsupported value: "Robot": supported values: "Group", "ServiceAccount", "User"`,
    ],
    [
      ofRule({ subjects: [{ kind: "Group", user: { name: "jane" } }] }),
      `${field}.subjects[0].group: Required value: group is required when subject kind is 'Group'`,
      `${field}.subjects[0].user: Forbidden: user is forbidden when subject kind is not 'User'`,
    ],
    [
      ofRule({ subjects: [{ kind: "ServiceAccount", serviceAccount: { name: "", namespace: "" } }] }),
      `${field}.subjects[0].serviceAccount.name: Required value`,
      `${field}.subjects[0].serviceAccount.namespace: Required value: must specify namespace for service account`,
    ],
    [ofRule({ subjects: [{ kind: "ServiceAccount", serviceAccount: { name: "*", namespace: "a" } }] })],
    [
      ofResources({ verbs: ["fly"] }),
      `${field}.resourceRules[0].verbs: Unsupported value: ["fly"]: supported values: ${verbs}`,
    ],
    [
      ofResources({ verbs: ["*", "get"], apiGroups: [], resources: ["*", "pods"] }),
      `${field}.resourceRules[0].verbs: Invalid value: ["*","get"]: if '*' is present, must not specify other verbs`,
      `${field}.resourceRules[0].apiGroups: Required value: resource rules must supply at least one api group`,
      `${field}.resourceRules[0].resources: Invalid value: ["*","pods"]: if '*' is present, must not specify other resources`,
    ],
    [
      ofResources({ namespaces: [] }),
      `${field}.resourceRules[0].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace`,
    ],
    [ofResources({ namespaces: [], clusterScope: true })],
    [
      ofResources({ namespaces: ["A"] }),
      `${field}.resourceRules[0].namespaces[0]: Invalid value: "A": each member of this list must be '*' or a DNS-1123 label; ${label}`,
    ],
    [ofPaths(), `${paths}: Required value: nonResourceURLs must contain at least one value`],
    [ofPaths("/healthz", "/logs/*")],
    [ofPaths("healthz"), `${paths}[0]: Invalid value: "healthz": must start with slash`],
    [ofPaths("/a b"), `${paths}[0]: Invalid value: "/a b": must not contain white-space`],
    [ofPaths("/a//b"), `${paths}[0]: Invalid value: "/a//b": must not contain double slash`],
    [ofPaths("/a*"), `${paths}[0]: Invalid value: "/a*": wildcard can only do suffix matching`],
    [ofPaths("/*/a"), `${paths}[0]: Invalid value: "/*/a": wildcard can only do suffix matching`],
  ];
  for (const [spec, ...messages] of cases) {
    test(JSON.stringify(spec), () => assert.deepEqual(schemaMistakes(spec), messages));
  }
});

describe("a PriorityLevelConfiguration is refused in upstream's words", () => {
  const queue = (queuing: object): PriorityLevelConfigurationSpec => ({
    type: "Limited",
    limited: {
      limitResponse: { type: "Queue", queuing: { queues: 64, handSize: 6, queueLengthLimit: 50, ...queuing } },
    },
  });
  const limited = (part: object): PriorityLevelConfigurationSpec => ({
    type: "Limited",
    limited: { limitResponse: { type: "Reject" }, ...part },
  });
  const field = "spec.limited";
  const queuing = `${field}.limitResponse.queuing`;
  const cases: readonly (readonly [PriorityLevelConfigurationSpec, ...string[]])[] = [
    [queue({})],
    [limited({})],
    [{ type: "" }, 'spec.type: Unsupported value: "": supported values: "Exempt", "Limited"'],
    [{ type: "Exempt" }, "spec.type: Invalid value: \"Exempt\": must be 'Exempt' if and only if `name` is 'exempt'"],
    [{ type: "Limited" }, `${field}: Required value: must not be empty when type is Limited`],
    [
      { type: "Limited", limited: {} },
      `${field}.limitResponse.type: Unsupported value: "": supported values: "Queue", "Reject"`,
    ],
    [
      limited({ nominalConcurrencyShares: -1, lendablePercent: 101, borrowingLimitPercent: -1 }),
      `${field}.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer`,
      `${field}.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive`,
      `${field}.borrowingLimitPercent: Invalid value: -1: if specified, must be a non-negative integer`,
    ],
    [
      limited({ limitResponse: { type: "Queue" } }),
      `${queuing}: Required value: must not be empty if limited.limitResponse.type is Limited`,
    ],
    [
      limited({ limitResponse: { type: "Reject", queuing: {} } }),
      `${queuing}: Forbidden: must be nil if limited.limitResponse.type is not Limited`,
    ],
    [
      queue({ queues: -1, handSize: -1, queueLengthLimit: -1 }),
      `${queuing}.queueLengthLimit: Invalid value: -1: must be positive`,
      `${queuing}.queues: Invalid value: -1: must be positive`,
      `${queuing}.handSize: Invalid value: -1: must be positive`,
    ],
    [
      queue({ queues: 10_000_001, handSize: 2 }),
      `${queuing}.queues: Invalid value: 10000001: must not be greater than 10000000`,
    ],
    [queue({ queues: 4 }), `${queuing}.handSize: Invalid value: 6: should not be greater than queues (4)`],
    [
      queue({ queues: 128, handSize: 10 }),
      `${queuing}.handSize: Invalid value: 10: required entropy bits of deckSize 128 and handSize 10 should not be greater than 60`,
    ],
  ];
  for (const [spec, ...messages] of cases) {
    test(JSON.stringify(spec), () => assert.deepEqual(levelMistakes(spec), messages));
  }
});

test("upstream's first objects are valid, and defaults change nothing of them", () => {
  for (const level of [...mandatoryLevels, ...suggestedLevels]) {
    assert.deepEqual(priorityLevelConfigurations.validate(level), []);
    assert.deepEqual(priorityLevelConfigurations.withDefaults(level), level);
  }
  for (const schema of [...mandatorySchemas, ...suggestedSchemas]) {
    assert.deepEqual(flowSchemas.validate(schema), []);
    assert.deepEqual(flowSchemas.withDefaults(schema), schema);
  }
});

test("the mandatory objects keep their specs, but for what the exempt level lends", () => {
  const catchAll = mandatoryLevels[0]?.spec?.limited;
  assert.ok(catchAll);
  assert.deepEqual(levelMistakes({ type: "Limited", limited: { ...catchAll, lendablePercent: 1 } }, "catch-all"), [
    'spec: Invalid value: {"Type":"Limited","Limited":{"NominalConcurrencyShares":5,"LimitResponse":{"Type":"Reject","Queuing":null},"LendablePercent":1,"BorrowingLimitPercent":null},"Exempt":null}: spec of \'catch-all\' must equal the fixed value',
  ]);
  assert.deepEqual(levelMistakes({ type: "Exempt", exempt: { lendablePercent: 50 } }, "exempt"), []);
  assert.deepEqual(levelMistakes({ type: "Exempt", exempt: { lendablePercent: 150 } }, "exempt"), [
    "spec.exempt.lendablePercent: Invalid value: 150: must be between 0 and 100, inclusive",
  ]);
  assert.deepEqual(schemaMistakes({}, "catch-all"), [
    'spec: Invalid value: {"PriorityLevelConfiguration":{"Name":"mine"},"MatchingPrecedence":500,"DistinguisherMethod":null,"Rules":[{"Subjects":[{"Kind":"User","User":{"Name":"jane"},"Group":null,"ServiceAccount":null}],"ResourceRules":null,"NonResourceRules":[{"Verbs":["get"],"NonResourceURLs":["/"]}]}]}: spec of \'catch-all\' must equal the fixed value',
  ]);
});

test("both get upstream's defaults", () => {
  const schema = flowSchemas.withDefaults({ spec: { priorityLevelConfiguration: { name: "mine" } } });
  assert.equal(schema.spec?.matchingPrecedence, 1000);
  const spec = { type: "Limited", limited: { limitResponse: { type: "Queue", queuing: {} } } };
  assert.deepEqual(priorityLevelConfigurations.withDefaults({ spec }).spec?.limited, {
    nominalConcurrencyShares: 30,
    lendablePercent: 0,
    limitResponse: { type: "Queue", queuing: { queues: 64, handSize: 8, queueLengthLimit: 50 } },
  });
});

test("rows show what upstream's do", () => {
  const creationTimestamp = "2026-11-20T11:58:00Z";
  const cellsOf = (level: (typeof mandatoryLevels)[number] | undefined) =>
    priorityLevelConfigurations.cells({ ...level, metadata: { ...level?.metadata, creationTimestamp } }, now);
  assert.deepEqual(cellsOf(mandatoryLevels[1]), ["exempt", "Exempt", "<none>", "<none>", "<none>", "<none>", "2m"]);
  assert.deepEqual(cellsOf(suggestedLevels[0]), ["system", "Limited", 30, 64, 6, 50, "2m"]);
  const probes = { ...suggestedSchemas[0], metadata: { name: "probes", creationTimestamp } };
  assert.deepEqual(flowSchemas.cells(probes, now), ["probes", "exempt", 2, "<none>", "2m", "?"]);
});
