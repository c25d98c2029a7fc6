/** Mistakes of pods and pod templates. Paths start at `field`: `spec`, or `spec.template.spec` within a workload. */
import {
  dnsLabelMistakes,
  labelKeyMistakes,
  labelValueMistakes,
  searchMistakes,
  subdomainMistakes,
} from "../../lib/labels/index.ts";
import { isIpAddress } from "../../lib/ip/index.ts";
import { duplicateValue, forbiddenValue, invalidValue, requiredValue, unsupportedValue } from "../field-error.ts";
import type { FieldError } from "../field-error.ts";
import type { Container, PodSpec, PodTemplateSpec, Toleration, Volume } from "../generated/types.ts";
import { labelMistakes } from "../registry/metadata.ts";
import { addressSentence, oneOf, oneOfListed } from "../registry/checks.ts";
import { validatePlacement } from "./affinity-validation.ts";
import { validateContainer } from "./container-validation.ts";
import { validatePodSecurity } from "./security-validation.ts";
import { validateVolumeSource } from "./volume-source-validation.ts";

function validateVolumes(volumes: readonly Volume[], field: string): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  volumes.forEach((volume, index) => {
    const path = `${field}[${index}]`;
    const before = errors.length;
    if (!volume.name) errors.push(requiredValue(`${path}.name`));
    else if (dnsLabelMistakes(volume.name).length > 0) {
      errors.push(...dnsLabelMistakes(volume.name).map((text) => invalidValue(`${path}.name`, volume.name, text)));
    } else if (names.has(volume.name)) errors.push(duplicateValue(`${path}.name`, volume.name));
    const sources = Object.keys(volume).filter((key) => key !== "name");
    if (sources.length === 0) errors.push(requiredValue(path, "must specify a volume type"));
    for (const extra of sources.slice(1))
      errors.push(forbiddenValue(`${path}.${extra}`, "may not specify more than 1 volume type"));
    errors.push(...validateVolumeSource(volume, path));
    // As upstream: a name counts once its volume is sound.
    if (errors.length === before) names.add(volume.name);
  });
  return errors;
}

function validateTolerations(tolerations: readonly Toleration[], field: string): FieldError[] {
  return tolerations.flatMap((toleration, index) => {
    const path = `${field}[${index}]`;
    const errors: FieldError[] = [];
    if (toleration.key) {
      errors.push(...labelKeyMistakes(toleration.key).map((text) => invalidValue(`${path}.key`, toleration.key, text)));
    }
    if (!toleration.key && toleration.operator !== "Exists") {
      errors.push(
        invalidValue(
          `${path}.operator`,
          toleration.operator ?? "",
          'operator must be Exists when `key` is empty, which means "match all values and all keys"',
        ),
      );
    }
    if (toleration.operator === "Exists" && toleration.value) {
      errors.push(
        invalidValue(`${path}.operator`, toleration.value, "value must be empty when `operator` is 'Exists'"),
      );
    }
    if (toleration.tolerationSeconds !== undefined && toleration.effect !== "NoExecute") {
      errors.push(
        invalidValue(
          `${path}.effect`,
          toleration.effect ?? "",
          "effect must be 'NoExecute' when `tolerationSeconds` is set",
        ),
      );
    }
    if (toleration.effect) {
      errors.push(...oneOf(toleration.effect, ["NoSchedule", "PreferNoSchedule", "NoExecute"], `${path}.effect`));
    }
    if (toleration.operator) errors.push(...oneOf(toleration.operator, ["Equal", "Exists"], `${path}.operator`));
    errors.push(
      ...labelValueMistakes(toleration.value ?? "").map((text) =>
        invalidValue(`${path}.value`, toleration.value, text),
      ),
    );
    return errors;
  });
}

function validateHostAliases(spec: PodSpec, field: string): FieldError[] {
  return (spec.hostAliases ?? []).flatMap((alias, index) => {
    const path = `${field}.hostAliases[${index}]`;
    const hosts = (alias.hostnames ?? []).flatMap((host, at) =>
      subdomainMistakes(host).map((text) => invalidValue(`${path}.hostnames[${at}]`, host, text)),
    );
    return isIpAddress(alias.ip) ? hosts : [invalidValue(`${path}.ip`, alias.ip, addressSentence), ...hosts];
  });
}

function validateDns(spec: PodSpec, field: string): FieldError[] {
  const errors = oneOfListed(
    spec.dnsPolicy,
    ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"],
    `${field}.dnsPolicy`,
  );
  const servers = spec.dnsConfig?.nameservers ?? [];
  if (spec.dnsPolicy === "None" && spec.dnsConfig === undefined) {
    errors.push(requiredValue(`${field}.dnsConfig`, "must provide `dnsConfig` when `dnsPolicy` is None"));
  } else if (spec.dnsPolicy === "None" && servers.length === 0) {
    errors.push(
      requiredValue(
        `${field}.dnsConfig.nameservers`,
        "must provide at least one DNS nameserver when `dnsPolicy` is None",
      ),
    );
  }
  if (servers.length > 3) {
    errors.push(invalidValue(`${field}.dnsConfig.nameservers`, servers, "must not have more than 3 nameservers"));
  }
  servers.forEach((server, index) => {
    if (!isIpAddress(server))
      errors.push(invalidValue(`${field}.dnsConfig.nameservers[${index}]`, server, addressSentence));
  });
  (spec.dnsConfig?.searches ?? []).forEach((search, index) => {
    const mistakes = searchMistakes(search.replace(/\.$/, ""));
    errors.push(...mistakes.map((text) => invalidValue(`${field}.dnsConfig.searches[${index}]`, search, text)));
  });
  (spec.dnsConfig?.options ?? []).forEach((option, index) => {
    if (!option.name) errors.push(requiredValue(`${field}.dnsConfig.options[${index}]`, "must not be empty"));
  });
  return errors;
}

/** What only makes sense for containers that stay. */
function validateInit(container: Container, field: string): FieldError[] {
  if (container.restartPolicy === "Always") return [];
  const stays = ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const;
  const text = "may not be set for init containers without restartPolicy=Always";
  return stays.filter((part) => container[part] !== undefined).map((part) => forbiddenValue(`${field}.${part}`, text));
}

/** `field` is the path of the spec. */
export function validatePodSpec(spec: PodSpec | undefined, field: string): FieldError[] {
  if (!spec) return [requiredValue(`${field}.containers`)];
  const volumes = new Set((spec.volumes ?? []).map(({ name }) => name));
  const containers = spec.containers ?? [];
  const initContainers = spec.initContainers ?? [];
  const errors = validateVolumes(spec.volumes ?? [], `${field}.volumes`);
  if (containers.length === 0) errors.push(requiredValue(`${field}.containers`));
  const names = new Set<string>();
  const check = (list: readonly Container[], part: string): void => {
    list.forEach((container, index) => {
      const path = `${field}.${part}[${index}]`;
      errors.push(...validateContainer(container, volumes, path));
      if (container.name && names.has(container.name)) errors.push(duplicateValue(`${path}.name`, container.name));
      names.add(container.name);
    });
  };
  check(containers, "containers");
  check(initContainers, "initContainers");
  errors.push(
    ...initContainers.flatMap((container, index) => validateInit(container, `${field}.initContainers[${index}]`)),
  );
  errors.push(
    ...oneOfListed(spec.restartPolicy, ["Always", "OnFailure", "Never"], `${field}.restartPolicy`),
    ...validateDns(spec, field),
    ...labelMistakes(spec.nodeSelector, `${field}.nodeSelector`),
    ...validateTolerations(spec.tolerations ?? [], `${field}.tolerations`),
    ...validateHostAliases(spec, field),
    ...validatePodSecurity(spec, field),
    ...validatePlacement(spec, field),
  );
  const { activeDeadlineSeconds, os } = spec;
  if (activeDeadlineSeconds !== undefined && (activeDeadlineSeconds < 1 || activeDeadlineSeconds > 2 ** 31 - 1)) {
    const text = `must be between 1 and ${2 ** 31 - 1}, inclusive`;
    errors.push(invalidValue(`${field}.activeDeadlineSeconds`, activeDeadlineSeconds, text));
  }
  if (os !== undefined) {
    if (os.name === "") errors.push(requiredValue(`${field}.os.name`, "cannot be empty"));
    else if (os.name !== "linux" && os.name !== "windows") {
      errors.push(unsupportedValue(`${field}.os`, os.name, ["linux", "windows"]));
    }
  }
  (spec.schedulingGates ?? []).forEach(({ name }, index) => {
    const at = `${field}.schedulingGates[${index}]`;
    errors.push(...labelKeyMistakes(name).map((text) => invalidValue(at, name, text)));
  });
  for (const part of ["serviceAccountName", "nodeName"] as const) {
    const name = spec[part];
    if (name) errors.push(...subdomainMistakes(name).map((text) => invalidValue(`${field}.${part}`, name, text)));
  }
  for (const part of ["hostname", "subdomain"] as const) {
    const name = spec[part];
    if (part === "subdomain" && name?.includes(".") === true) {
      errors.push(invalidValue(`${field}.subdomain`, name, "must not contain dots"));
    } else if (name) errors.push(...dnsLabelMistakes(name).map((text) => invalidValue(`${field}.${part}`, name, text)));
  }
  return errors;
}

/** A template within a workload, whose pods must be restarted always unless `restartPolicies` says otherwise. */
export function validatePodTemplate(
  template: PodTemplateSpec | undefined,
  field: string,
  restartPolicies: readonly string[] = ["Always"],
): FieldError[] {
  const errors = [
    ...labelMistakes(template?.metadata?.labels, `${field}.labels`),
    ...validatePodSpec(template?.spec, `${field}.spec`),
  ];
  const policy = template?.spec?.restartPolicy;
  if (policy !== undefined && !restartPolicies.includes(policy)) {
    errors.push(unsupportedValue(`${field}.spec.restartPolicy`, policy, restartPolicies));
  }
  return errors;
}
