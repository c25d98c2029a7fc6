/** Deployment as it was written before `apps/v1`. */
import { deployments } from "../apps/deployment.ts";
import type { Deployment } from "../generated/types.ts";
import type { Draft } from "../registry/index.ts";
import { resources } from "../resources.ts";
import { oldVersion } from "./old-version.ts";
import type { OldDeployment } from "./types.ts";

const apiVersion = "extensions/v1beta1";
/** Where upstream keeps what today's version has no field for. */
const rollbackAnnotation = "deprecated.deployment.rollback.to";
/** Go's largest int32: no limit. */
const unlimited = 2 ** 31 - 1;

function toServed({ spec, metadata, ...rest }: Deployment): OldDeployment {
  const { [rollbackAnnotation]: revision, ...annotations } = metadata?.annotations ?? {};
  const head = { ...rest, apiVersion, kind: "Deployment" };
  if (revision === undefined || spec === undefined) {
    return { ...head, ...(metadata === undefined ? {} : { metadata }), ...(spec === undefined ? {} : { spec }) };
  }
  return {
    ...head,
    metadata: { ...metadata, annotations },
    spec: { ...spec, rollbackTo: { revision: Number(revision) } },
  };
}

function toStored({ spec, metadata, ...rest }: OldDeployment): Deployment {
  const head = { ...rest, apiVersion: "apps/v1", kind: "Deployment" };
  const { rollbackTo, ...plain } = spec ?? {};
  const annotations =
    rollbackTo === undefined
      ? metadata?.annotations
      : { ...metadata?.annotations, [rollbackAnnotation]: String(rollbackTo.revision ?? 0) };
  return {
    ...head,
    ...(metadata === undefined
      ? {}
      : { metadata: { ...metadata, ...(annotations === undefined ? {} : { annotations }) } }),
    // Validation says so where the selector is missing.
    ...(spec === undefined ? {} : { spec: plain as NonNullable<Deployment["spec"]> }),
  };
}

function defaults({ spec, metadata }: Draft<OldDeployment>): void {
  if (spec === undefined) return;
  const labels = spec.template.metadata?.labels;
  if (labels !== undefined) {
    spec.selector ??= { matchLabels: { ...labels } };
    if (metadata !== undefined && Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
  }
  spec.strategy ??= {};
  spec.strategy.type ||= "RollingUpdate";
  if (spec.strategy.type === "RollingUpdate") {
    spec.strategy.rollingUpdate ??= {};
    spec.strategy.rollingUpdate.maxUnavailable ??= 1;
    spec.strategy.rollingUpdate.maxSurge ??= 1;
  }
  spec.revisionHistoryLimit ??= unlimited;
  spec.progressDeadlineSeconds ??= unlimited;
}

export const extensionsDeployments = oldVersion<OldDeployment, Deployment>(deployments, {
  resource: resources.extensionsDeployments,
  type: "OldDeployment",
  deprecationWarning: `${apiVersion} Deployment is deprecated in v1.9+, unavailable in v1.16+; use apps/v1 Deployment`,
  toServed,
  toStored,
  defaults,
});
