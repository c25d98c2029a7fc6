/** Mistakes of what a volume is made from. */
import { invalidValue, requiredValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type { KeyToPath, Volume, VolumeProjection } from "../generated/types.ts";

const largestMode = 0o777;

function validateMode(mode: number | undefined, field: string): FieldError[] {
  if (mode === undefined || (mode >= 0 && mode <= largestMode)) return [];
  return [invalidValue(field, mode, "must be a number between 0 and 0777 (octal), both inclusive")];
}

/** A place on a node. */
export function validateHostPath(path: string, field: string): FieldError[] {
  if (!path) return [requiredValue(field)];
  return path.split("/").includes("..") ? [invalidValue(field, path, "must not contain '..'")] : [];
}

/** A path within a volume. */
function validateLocalPath(path: string, field: string): FieldError[] {
  if (path === "") return [requiredValue(field)];
  if (path.startsWith("/")) return [invalidValue(field, path, "must be a relative path")];
  const parts = path.split("/");
  if (parts.includes("..")) return [invalidValue(field, path, "must not contain '..'")];
  return parts[0]?.startsWith("..") === true ? [invalidValue(field, path, "must not start with '..'")] : [];
}

function validateItems(items: readonly KeyToPath[] | undefined, field: string): FieldError[] {
  return (items ?? []).flatMap(({ key, path, mode }, index) => [
    ...(key === "" ? [requiredValue(`${field}.items[${index}].key`)] : []),
    ...validateLocalPath(path, `${field}.items[${index}].path`),
    ...validateMode(mode, `${field}.items[${index}].mode`),
  ]);
}

function validateProjection(source: VolumeProjection, field: string): FieldError[] {
  const kinds = Object.keys(source);
  if (kinds.length > 1) {
    return [
      { type: "FieldValueForbidden", field, body: "Forbidden: may not specify more than 1 volume type per source" },
    ];
  }
  const token = source.serviceAccountToken;
  const seconds = token?.expirationSeconds;
  return [
    ...(kinds.length === 0 ? [requiredValue(field, "must specify a volume type")] : []),
    ...(source.secret?.name === "" ? [requiredValue(`${field}.secret.name`)] : []),
    ...(source.configMap?.name === "" ? [requiredValue(`${field}.configMap.name`)] : []),
    ...validateItems(source.secret?.items, `${field}.secret`),
    ...validateItems(source.configMap?.items, `${field}.configMap`),
    ...(token === undefined ? [] : validateLocalPath(token.path, `${field}.serviceAccountToken.path`)),
    ...(seconds !== undefined && seconds < 600
      ? [
          invalidValue(
            `${field}.serviceAccountToken.expirationSeconds`,
            seconds,
            "may not specify a duration less than 10 minutes",
          ),
        ]
      : []),
    ...(source.downwardAPI?.items ?? []).flatMap(({ path }, index) =>
      validateLocalPath(path, `${field}.downwardAPI.items[${index}].path`),
    ),
  ];
}

/** `field` is the volume's path. Kinds that no node of ours mounts are checked for what they cannot be without. */
export function validateVolumeSource(volume: Volume, field: string): FieldError[] {
  const { secret, configMap, hostPath, persistentVolumeClaim, projected, downwardAPI, nfs, csi } = volume;
  const errors: FieldError[] = [];
  if (secret) {
    if (!secret.secretName) errors.push(requiredValue(`${field}.secret.secretName`));
    errors.push(...validateMode(secret.defaultMode, `${field}.secret.defaultMode`));
    errors.push(...validateItems(secret.items, `${field}.secret`));
  }
  if (configMap) {
    if (!configMap.name) errors.push(requiredValue(`${field}.configMap.name`));
    errors.push(...validateMode(configMap.defaultMode, `${field}.configMap.defaultMode`));
    errors.push(...validateItems(configMap.items, `${field}.configMap`));
  }
  if (hostPath) errors.push(...validateHostPath(hostPath.path, `${field}.hostPath.path`));
  if (persistentVolumeClaim && !persistentVolumeClaim.claimName) {
    errors.push(requiredValue(`${field}.persistentVolumeClaim.claimName`));
  }
  if (projected) {
    errors.push(...validateMode(projected.defaultMode, `${field}.projected.defaultMode`));
    (projected.sources ?? []).forEach((source, index) => {
      errors.push(...validateProjection(source, `${field}.projected.sources[${index}]`));
    });
  }
  if (downwardAPI) {
    errors.push(...validateMode(downwardAPI.defaultMode, `${field}.downwardAPI.defaultMode`));
    (downwardAPI.items ?? []).forEach(({ path, mode }, index) => {
      errors.push(...validateLocalPath(path, `${field}.downwardAPI.items[${index}].path`));
      errors.push(...validateMode(mode, `${field}.downwardAPI.items[${index}].mode`));
    });
  }
  if (nfs) {
    if (!nfs.server) errors.push(requiredValue(`${field}.nfs.server`));
    if (!nfs.path) errors.push(requiredValue(`${field}.nfs.path`));
    else if (!nfs.path.startsWith("/")) {
      errors.push(invalidValue(`${field}.nfs.path`, nfs.path, "must be an absolute path"));
    }
  }
  if (csi && !csi.driver) errors.push(requiredValue(`${field}.csi.driver`));
  return errors;
}
