/** Writes docs/reference/cluster.schema.json: the cluster file for editors, read off the settings it is checked by. */
import { writeFileSync } from "node:fs";
import { type ClusterSetting, clusterSettings } from "../src/model/cluster-plan/index.ts";

export const clusterSchemaFile = new URL("../docs/reference/cluster.schema.json", import.meta.url);

const types: Readonly<Record<ClusterSetting["type"], object>> = {
  number: { type: "integer", minimum: 1 },
  text: { type: "string" },
  boolean: { type: "boolean" },
  list: { type: "array", items: { type: "string" }, minItems: 1 },
  duration: { type: ["string", "integer"], pattern: String.raw`^(\d+|(\d+(\.\d+)?(ms|s|m|h))+)$`, minimum: 0 },
};

/** JSON Schema, draft 7: what editors know best. */
export function clusterSchema(): object {
  const fields = clusterSettings.map(({ key, type, help, offer, choices, fallback }): [string, object] => {
    const first = type === "list" && fallback !== undefined ? [fallback] : fallback;
    return [
      key,
      {
        description: `${help}; ${offer}`,
        ...types[type],
        ...(choices === undefined ? {} : { enum: choices }),
        ...(first === undefined ? {} : { default: first }),
      },
    ];
  });
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "netloom cluster",
    description: "What netloom up -f takes",
    type: "object",
    required: ["apiVersion", "kind"],
    additionalProperties: false,
    properties: {
      apiVersion: { const: "netloom.dev/v1alpha1" },
      kind: { const: "Cluster" },
      metadata: {
        type: "object",
        additionalProperties: false,
        properties: {
          name: {
            description: "the cluster's name",
            type: "string",
            pattern: "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$",
            maxLength: 30,
            default: "netloom",
          },
        },
      },
      spec: { type: ["object", "null"], additionalProperties: false, properties: Object.fromEntries(fields) },
    },
  };
}

if (import.meta.main) writeFileSync(clusterSchemaFile, `${JSON.stringify(clusterSchema(), undefined, 2)}\n`);
