import { compareQuantities, parseQuantity } from "../../lib/quantity/index.ts";
import type { PodSpec } from "../generated/types.ts";
import type { Draft } from "../registry/definition.ts";

const computeResources = ["cpu", "memory"] as const;

function isPositive(text: string | undefined): text is string {
  if (text === undefined) return false;
  try {
    return parseQuantity(text).nano > 0n;
  } catch {
    // Validation, which comes later, names the mistake.
    return false;
  }
}

/**
 * `Guaranteed` when every container's CPU and memory requests equal its limits, `BestEffort` when none has any,
 * else `Burstable`.
 */
export function qosClassOf(spec: PodSpec | Draft<PodSpec> | undefined): "Guaranteed" | "Burstable" | "BestEffort" {
  let isGuaranteed = true;
  let hasAny = false;
  for (const { resources } of [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]) {
    for (const name of computeResources) {
      const limit = resources?.limits?.[name];
      const request = resources?.requests?.[name] ?? limit;
      if (isPositive(limit) || isPositive(request)) hasAny = true;
      const isEqual =
        isPositive(limit) &&
        isPositive(request) &&
        compareQuantities(parseQuantity(limit), parseQuantity(request)) === 0;
      if (!isEqual) isGuaranteed = false;
    }
  }
  if (!hasAny) return "BestEffort";
  return isGuaranteed ? "Guaranteed" : "Burstable";
}
