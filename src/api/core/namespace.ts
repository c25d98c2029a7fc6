import type { Namespace } from "../generated/types.ts";
import { ageColumn, ageOf, column, nameColumn, nameOf } from "../registry/columns.ts";
import { defineResource } from "../registry/define.ts";
import { copyPart } from "../registry/draft.ts";
import { resources } from "../resources.ts";

/** The label by which selectors find a namespace by name. */
const nameLabel = "kubernetes.io/metadata.name";

export const namespaces = defineResource<Namespace>(resources.namespaces, {
  shortNames: ["ns"],
  verbs: ["create", "delete", "get", "list", "patch", "update", "watch"],
  nameRule: "label",
  hasStatus: true,
  subresources: { finalize: { style: "object", verbs: ["update"], kind: "Namespace" } },
  columns: [nameColumn, column("Status", "Active, or Terminating while its objects are removed."), ageColumn],
  cells: (namespace, now) => [nameOf(namespace), namespace.status?.phase ?? "", ageOf(namespace, now)],
  fields: ({ status }) => ({ "status.phase": status?.phase ?? "" }),
  defaults(draft) {
    const { metadata } = draft;
    if (metadata?.name) metadata.labels = { ...metadata.labels, [nameLabel]: metadata.name };
  },
  onCreate(draft) {
    draft.status = { phase: "Active" };
    draft.spec ??= {};
    const finalizers = draft.spec.finalizers ?? [];
    if (!finalizers.includes("kubernetes")) draft.spec.finalizers = [...finalizers, "kubernetes"];
  },
  onUpdate(draft, { old, subresource }) {
    // Only the subresource `finalize` takes finalizers away.
    if (subresource !== "finalize") copyPart(draft, old, "spec");
  },
});
