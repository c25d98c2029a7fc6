/** Mistakes of security contexts, of pods and of containers. */
import { duplicateValue, forbiddenValue, invalidValue, requiredValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type { PodSpec, SeccompProfile, SecurityContext } from "../generated/types.ts";
import { oneOf, optionalOneOf } from "../registry/checks.ts";

const largestId = 2 ** 31 - 1;

function validateId(id: number | undefined, field: string): FieldError[] {
  if (id === undefined || (id >= 0 && id <= largestId)) return [];
  return [invalidValue(field, id, `must be between 0 and ${largestId}, inclusive`)];
}

function validateSeccomp(profile: SeccompProfile | undefined, field: string): FieldError[] {
  if (profile === undefined) return [];
  const { type, localhostProfile } = profile;
  const errors = oneOf(type, ["Localhost", "RuntimeDefault", "Unconfined"], `${field}.type`);
  if (type === "Localhost") {
    if (localhostProfile === undefined) {
      errors.push(requiredValue(`${field}.localhostProfile`, "must be set when seccomp type is Localhost"));
    }
  } else if (localhostProfile !== undefined) {
    const text = "can only be set when seccomp type is Localhost";
    errors.push(invalidValue(`${field}.localhostProfile`, localhostProfile, text));
  }
  return errors;
}

/** `field` is the path of the container's context. */
export function validateSecurityContext(context: SecurityContext | undefined, field: string): FieldError[] {
  if (context === undefined) return [];
  const errors = [
    ...validateId(context.runAsUser, `${field}.runAsUser`),
    ...validateId(context.runAsGroup, `${field}.runAsGroup`),
    ...optionalOneOf(context.procMount, ["Default", "Unmasked"], `${field}.procMount`),
    ...validateSeccomp(context.seccompProfile, `${field}.seccompProfile`),
  ];
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged === true) {
      const text = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
      errors.push(invalidValue(field, context, text));
    }
    if (context.capabilities?.add?.includes("CAP_SYS_ADMIN") === true) {
      const text = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
      errors.push(invalidValue(field, context, text));
    }
  }
  return errors;
}

const sysctlName = /^[a-z0-9](?:[-_a-z0-9]*[a-z0-9])?(?:[./][a-z0-9](?:[-_a-z0-9]*[a-z0-9])?)*$/;

/** `field` is the path of the pod's spec. */
export function validatePodSecurity(spec: PodSpec, field: string): FieldError[] {
  const context = spec.securityContext ?? {};
  const path = `${field}.securityContext`;
  const errors = [
    ...validateId(context.runAsUser, `${path}.runAsUser`),
    ...validateId(context.runAsGroup, `${path}.runAsGroup`),
    ...validateId(context.fsGroup, `${path}.fsGroup`),
    ...(context.supplementalGroups ?? []).flatMap((id, index) =>
      validateId(id, `${path}.supplementalGroups[${index}]`),
    ),
    ...optionalOneOf(context.fsGroupChangePolicy, ["Always", "OnRootMismatch"], `${path}.fsGroupChangePolicy`),
    ...optionalOneOf(context.supplementalGroupsPolicy, ["Merge", "Strict"], `${path}.supplementalGroupsPolicy`),
    ...validateSeccomp(context.seccompProfile, `${path}.seccompProfile`),
  ];
  const names = new Set<string>();
  (context.sysctls ?? []).forEach(({ name }, index) => {
    const at = `${path}.sysctls[${index}].name`;
    if (name === "") errors.push(requiredValue(at));
    else if (!sysctlName.test(name) || name.length > 253) {
      errors.push(invalidValue(at, name, `must have at most 253 characters and match regex ${sysctlName.source}`));
    } else if (names.has(name)) errors.push(duplicateValue(at, name));
    names.add(name);
  });
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    const text = "ShareProcessNamespace and HostPID cannot both be enabled";
    errors.push(invalidValue(`${path}.shareProcessNamespace`, true, text));
  }
  if (spec.hostNetwork === true && spec.hostUsers === false) {
    errors.push(forbiddenValue(`${field}.hostUsers`, "when `hostUsers` is false, `hostNetwork` must not be set"));
  }
  return errors;
}
