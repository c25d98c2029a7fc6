import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { KubernetesObject } from "../object.ts";
import { ApiError } from "../status.ts";
import { applyConfiguration, readConfiguration, trackCreate, trackUpdate } from "./index.ts";
import type { Subject } from "./index.ts";
import { decodeFields, encodeFields, FieldsError } from "./fields-v1.ts";

const deployments: Subject = {
  type: "Deployment",
  apiVersion: "apps/v1",
  subresource: "",
  hasStatus: true,
  inVersion: () => undefined,
};
const configMaps: Subject = { ...deployments, type: "ConfigMap", apiVersion: "v1", hasStatus: false };
const target = { group: "apps", version: "v1", kind: "Deployment", type: "Deployment" };
const now = "2026-11-20T12:00:00Z";

function deployment(spec: object, metadata: object = {}): Record<string, unknown> {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", namespace: "default", ...metadata },
    spec,
  };
}

function configuration(spec: object, metadata: object = {}): KubernetesObject {
  return readConfiguration(target, deployment(spec, metadata));
}

function apply(
  live: KubernetesObject | undefined,
  config: KubernetesObject,
  name: string,
  options: { readonly isForced?: boolean; readonly time?: string } = {},
): KubernetesObject {
  const { isForced = false, time = now } = options;
  return applyConfiguration(deployments, { live, configuration: config, isForced, writer: { name, now: time } });
}

function specOf(object: KubernetesObject): unknown {
  return (object as { spec?: unknown }).spec;
}

function ownersOf(object: KubernetesObject): Readonly<Record<string, unknown>> {
  const entries = (object.metadata?.managedFields ?? []).map((entry) => [
    `${entry.manager} ${entry.operation}${entry.subresource === undefined ? "" : ` ${entry.subresource}`}`,
    entry.fieldsV1,
  ]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}

function statusOf(act: () => unknown): ApiError["status"] {
  try {
    act();
  } catch (error) {
    if (error instanceof ApiError) return error.status;
    throw error;
  }
  assert.fail("nothing was thrown");
}

const web = { name: "web", image: "nginx", ports: [{ containerPort: 80 }] };

test("an applied object belongs to its applier, field by field", () => {
  const object = apply(undefined, configuration({ replicas: 2, template: { spec: { containers: [web] } } }), "me");
  assert.deepEqual(object.metadata?.managedFields, [
    {
      manager: "me",
      operation: "Apply",
      apiVersion: "apps/v1",
      time: now,
      fieldsType: "FieldsV1",
      fieldsV1: {
        "f:spec": {
          "f:replicas": {},
          "f:template": {
            "f:spec": {
              "f:containers": {
                'k:{"name":"web"}': {
                  ".": {},
                  "f:image": {},
                  "f:name": {},
                  "f:ports": { 'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {} } },
                },
              },
            },
          },
        },
      },
    },
  ]);
});

test("a created object belongs to its creator as upstream writes it", () => {
  const object = trackCreate(
    deployments,
    deployment(
      {
        replicas: 1,
        selector: { matchLabels: { app: "web" } },
        strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%" } },
        template: { metadata: { labels: { app: "web" } }, spec: { containers: [web], nodeSelector: { a: "b" } } },
      },
      { labels: { app: "web" } },
    ),
    { name: "kubectl-create", now },
  );
  assert.deepEqual(ownersOf(object), {
    "kubectl-create Update": {
      "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
      "f:spec": {
        "f:replicas": {},
        "f:selector": {},
        "f:strategy": { "f:rollingUpdate": { ".": {}, "f:maxSurge": {} }, "f:type": {} },
        "f:template": {
          "f:metadata": { "f:labels": { ".": {}, "f:app": {} } },
          "f:spec": {
            "f:containers": {
              'k:{"name":"web"}': {
                ".": {},
                "f:image": {},
                "f:name": {},
                "f:ports": { ".": {}, 'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {} } },
              },
            },
            "f:nodeSelector": {},
          },
        },
      },
    },
  });
});

test("a field of another manager is a conflict in upstream's words, unless the applier insists", () => {
  const live = trackCreate(deployments, deployment({ replicas: 1 }), { name: "kubectl-client-side-apply", now });
  const wanted = configuration({ replicas: 3 });
  assert.deepEqual(
    statusOf(() => apply(live, wanted, "me")),
    {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: 'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas',
      reason: "Conflict",
      details: {
        causes: [
          {
            reason: "FieldManagerConflict",
            message: 'conflict with "kubectl-client-side-apply" using apps/v1',
            field: ".spec.replicas",
          },
        ],
      },
      code: 409,
    },
  );
  const forced = apply(live, wanted, "me", { isForced: true });
  assert.deepEqual(specOf(forced), { replicas: 3 });
  assert.deepEqual(ownersOf(forced), { "me Apply": { "f:spec": { "f:replicas": {} } } });
});

test("several conflicts are told by owner", () => {
  const first = apply(undefined, configuration({ replicas: 1, paused: true }), "one");
  const live = apply(first, configuration({ minReadySeconds: 5 }), "two");
  const wanted = configuration({ replicas: 2, paused: false, minReadySeconds: 6 });
  assert.equal(
    statusOf(() => apply(live, wanted, "me")).message,
    'Apply failed with 3 conflicts: conflicts with "one":\n- .spec.paused\n- .spec.replicas\nconflicts with "two":\n- .spec.minReadySeconds',
  );
});

test("the same value is shared; it stays until the last owner drops it", () => {
  const one = apply(undefined, configuration({ replicas: 2, paused: true }), "one");
  const both = apply(one, configuration({ replicas: 2 }), "two");
  // Who takes a share changes nothing, at no time.
  assert.deepEqual(Object.keys(ownersOf(both)), ["two Apply", "one Apply"]);
  const dropped = apply(both, configuration({ minReadySeconds: 1 }), "one");
  assert.deepEqual(specOf(dropped), { replicas: 2, minReadySeconds: 1 });
  const gone = apply(dropped, configuration({ paused: false }), "two");
  assert.deepEqual(specOf(gone), { minReadySeconds: 1, paused: false });
});

test("items are merged by their keys, and leave with the applier that brought them", () => {
  const sidecar = { name: "sidecar", image: "busybox" };
  const template = (...containers: readonly object[]): object => ({ template: { spec: { containers } } });
  const one = apply(undefined, configuration(template(web)), "one");
  const two = apply(one, configuration(template(sidecar)), "two");
  const names = (object: KubernetesObject): unknown =>
    (specOf(object) as { template: { spec: { containers: { name: string }[] } } }).template.spec.containers.map(
      ({ name }) => name,
    );
  assert.deepEqual(names(two), ["web", "sidecar"]);
  const before = apply(two, configuration(template({ name: "init", image: "x" }, web)), "one");
  assert.deepEqual(names(before), ["init", "web", "sidecar"]);
  assert.deepEqual(names(apply(before, configuration(template({ name: "other" })), "two")), ["init", "web", "other"]);
});

test("an update takes the fields that it changes, and dates only what it took", () => {
  const live = apply(undefined, configuration({ replicas: 1, paused: true }), "one");
  const later = "2026-11-20T13:00:00Z";
  const scaled = { ...live, spec: { replicas: 5, paused: true } };
  const updated = trackUpdate(deployments, { live, wanted: scaled }, { name: "hand", now: later });
  assert.deepEqual(ownersOf(updated), {
    "one Apply": { "f:spec": { "f:paused": {} } },
    "hand Update": { "f:spec": { "f:replicas": {} } },
  });
  const again = trackUpdate(deployments, { live: updated, wanted: { ...updated } }, { name: "hand", now: "2027" });
  assert.deepEqual(again, updated);
  // Back to what it was: now it is the hand's to say.
  assert.match(
    statusOf(() => apply(updated, configuration({ replicas: 1, paused: true }), "one")).message ?? "",
    /conflict with "hand" using apps\/v1: \.spec\.replicas/,
  );
});

test("the status has its own owners, and only the subresource writes it", () => {
  const live = apply(undefined, configuration({ replicas: 1 }), "one");
  const wanted = { ...live, spec: { replicas: 7 }, status: { replicas: 1 } };
  const status: Subject = { ...deployments, subresource: "status" };
  const updated = trackUpdate(status, { live, wanted }, { name: "controller", now });
  assert.deepEqual(ownersOf(updated)["controller Update status"], {
    "f:status": { "f:replicas": {} },
  });
});

test("owners survive clients that do not know them, and go when a client resets them", () => {
  const live = apply(undefined, configuration({ replicas: 1 }), "one");
  const { managedFields: _none, ...metadata } = live.metadata ?? {};
  const unaware = trackUpdate(deployments, { live, wanted: { ...live, metadata } }, { name: "old", now });
  assert.deepEqual(ownersOf(unaware), ownersOf(live));
  const reset = { ...live, metadata: { ...metadata, managedFields: [{}] } };
  assert.equal(
    trackUpdate(deployments, { live, wanted: reset }, { name: "old", now }).metadata?.managedFields,
    undefined,
  );
});

test("what had no owners before the first apply is somebody's", () => {
  const live = deployment({ replicas: 1, paused: true });
  const message = statusOf(() => apply(live, configuration({ replicas: 2 }), "me")).message;
  assert.match(message ?? "", /conflict with "before-first-apply" using apps\/v1: \.spec\.replicas/);
  const same = apply(live, configuration({ replicas: 1 }), "me");
  assert.deepEqual(Object.keys(ownersOf(same)), ["me Apply", "before-first-apply Update"]);
});

test("kubectl takes over what its own annotation says, and keeps the annotation in step", () => {
  const lastApplied = JSON.stringify(deployment({ replicas: 1 }));
  const annotations = { "kubectl.kubernetes.io/last-applied-configuration": lastApplied };
  const live = trackCreate(deployments, deployment({ replicas: 1, paused: true }, { annotations }), {
    name: "kubectl-client-side-apply",
    now,
  });
  assert.match(statusOf(() => apply(live, configuration({ replicas: 3 }), "me")).message ?? "", /1 conflict/);
  assert.match(statusOf(() => apply(live, configuration({ paused: false }), "kubectl")).message ?? "", /spec\.paused/);
  const taken = apply(live, configuration({ replicas: 3 }), "kubectl");
  assert.deepEqual(specOf(taken), { replicas: 3, paused: true });
  assert.match(
    taken.metadata?.annotations?.["kubectl.kubernetes.io/last-applied-configuration"] ?? "",
    /"replicas":3\}\}\n$/,
  );
});

test("a configuration that does not fit its schema is refused with the place", () => {
  const message = (spec: object): string | undefined => statusOf(() => configuration(spec)).message;
  const head = "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): ";
  const withContainers = (...containers: readonly object[]): object => ({ template: { spec: { containers } } });
  assert.equal(message({ replica: 1 }), `${head}.spec.replica: field not declared in schema`);
  assert.equal(
    message(withContainers({ name: "a", imagee: "x" })),
    `${head}.spec.template.spec.containers[name="a"].imagee: field not declared in schema`,
  );
  assert.equal(
    message(withContainers({ name: "a" }, { name: "a" })),
    `${head}.spec.template.spec.containers: duplicate entries for key [name="a"]`,
  );
  assert.equal(
    message(withContainers({ image: "a" })),
    `${head}.spec.template.spec.containers: element 0: associative list with keys has an element that omits key field "name" (and doesn't have default value)`,
  );
  assert.equal(
    statusOf(() => readConfiguration(target, { ...deployment({}), apiVersion: "apps/v1beta1" })).message,
    "invalid object type: apps/v1beta1, Kind=Deployment",
  );
});

test("at most ten updaters are kept apart; the oldest become ancient changes", () => {
  let live: KubernetesObject = applyConfiguration(configMaps, {
    live: undefined,
    configuration: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" } },
    isForced: false,
    writer: { name: "start", now },
  });
  live = trackCreate(configMaps, live, { name: "start", now });
  for (let index = 0; index < 15; index += 1) {
    const data = { ...(live as { data?: object }).data, [`k${index}`]: "v" };
    const wanted = { ...live, data } as KubernetesObject;
    const time = `2026-11-20T12:00:${String(index + 10)}Z`;
    live =
      index === 0
        ? trackCreate(configMaps, wanted, { name: `m${index}`, now: time })
        : trackUpdate(configMaps, { live, wanted }, { name: `m${index}`, now: time });
  }
  const updaters = Object.keys(ownersOf(live)).filter((name) => name.endsWith("Update"));
  assert.equal(updaters.length, 10);
  assert.equal(updaters[0], "ancient-changes Update");
});

const names = fc.constantFrom("a", "b", "c", "d");
const configurations = fc.record(
  {
    replicas: fc.nat(3),
    paused: fc.boolean(),
    selector: fc.record({ matchLabels: fc.dictionary(names, names) }),
    template: fc.record({
      spec: fc.record(
        {
          containers: fc.uniqueArray(
            fc.record(
              {
                name: names,
                image: names,
                args: fc.array(names, { maxLength: 2 }),
                env: fc.uniqueArray(fc.record({ name: names, value: names }), { selector: ({ name }) => name }),
              },
              { requiredKeys: ["name"] },
            ),
            { selector: ({ name }) => name },
          ),
          nodeSelector: fc.dictionary(names, names),
        },
        { requiredKeys: [] },
      ),
    }),
  },
  { requiredKeys: [] },
);
const labels = fc.dictionary(names, names);
const anyConfiguration = fc
  .tuple(configurations, labels)
  .map(([spec, own]) => configuration(spec, Object.keys(own).length === 0 ? {} : { labels: own }));

test("property: applying twice changes nothing, and the object shows what was applied", () => {
  fc.assert(
    fc.property(anyConfiguration, anyConfiguration, (before, wanted) => {
      const live = apply(apply(undefined, before, "me"), wanted, "me");
      assert.equal(apply(live, wanted, "me", { time: "2027-01-01T00:00:00Z" }), live);
      const fresh = apply(undefined, wanted, "me");
      // What is left of the configuration before is nothing: a second applier sees what a first one sees.
      assert.deepEqual(ownersOf(live), ownersOf(fresh));
      assert.deepEqual(withoutEmpty({ spec: specOf(live) }), withoutEmpty({ spec: specOf(fresh) }));
    }),
    { numRuns: 200 },
  );
});

test("property: two managers, one forced: the last word counts, and each field has its owners", () => {
  fc.assert(
    fc.property(anyConfiguration, anyConfiguration, (first, second) => {
      const live = apply(apply(undefined, first, "one"), second, "two", { isForced: true });
      const again = apply(live, second, "two");
      assert.equal(again, live);
      // The first one gives all up: what is left is the second one's configuration.
      const alone = apply(live, configuration({}), "one");
      assert.deepEqual(ownersOf(alone)["two Apply"], ownersOf(apply(undefined, second, "two"))["two Apply"]);
      assert.deepEqual(
        withoutEmpty({ spec: specOf(alone) }),
        withoutEmpty({ spec: specOf(apply(undefined, second, "two")) }),
      );
    }),
    { numRuns: 200 },
  );
});

test("property: fieldsV1 reads back as written, and nonsense is refused without harm", () => {
  fc.assert(
    fc.property(anyConfiguration, (config) => {
      const [entry] = apply(undefined, config, "me").metadata?.managedFields ?? [];
      const json = structuredClone(entry?.fieldsV1 ?? {});
      assert.deepEqual(encodeFields(decodeFields(json)), json);
    }),
  );
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      try {
        decodeFields(value);
      } catch (error) {
        assert.ok(error instanceof FieldsError);
      }
    }),
  );
});

/** An empty list or map is as good as none. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value)
    .map(([key, item]): [string, unknown] => [key, withoutEmpty(item)])
    .filter(
      ([, item]) => item !== undefined && (typeof item !== "object" || item === null || Object.keys(item).length > 0),
    );
  return Object.fromEntries(entries);
}
