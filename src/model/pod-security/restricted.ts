/** Level restricted: the hardening that well-made pods have. */
import type { Container, PodSpec, Volume } from "../../api/generated/types.ts";
import { quoted } from "../../api/go-text.ts";
import { containersOf, eachMust, named, quotedList } from "./checks.ts";
import type { Check } from "./checks.ts";

const goodVolumes: ReadonlySet<string> = new Set([
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "image",
  "persistentVolumeClaim",
  "projected",
  "secret",
]);
const goodProfiles: ReadonlySet<string> = new Set(["RuntimeDefault", "Localhost"]);

const isWindows = ({ os }: PodSpec): boolean => os?.name === "windows";

function kindOf(volume: Volume): string {
  return Object.keys(volume).find((key) => key !== "name") ?? "";
}

/** In upstream's order: by the check's name. */
export const restrictedChecks: readonly Check[] = [
  {
    reason: "allowPrivilegeEscalation != false",
    find: (spec) =>
      isWindows(spec)
        ? []
        : eachMust(
            spec,
            ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false,
            "must set securityContext.allowPrivilegeEscalation=false",
          ),
  },
  {
    reason: "unrestricted capabilities",
    find: (spec) => (isWindows(spec) ? [] : capabilityProblems(spec)),
  },
  {
    reason: "restricted volume types",
    find: ({ volumes = [] }) => {
      const bad = volumes.filter((volume) => !goodVolumes.has(kindOf(volume)));
      if (bad.length === 0) return [];
      const kinds = quotedList(bad.map(kindOf));
      const plural = new Set(bad.map(kindOf)).size === 1 ? "type" : "types";
      const names = bad.map(({ name }) => quoted(name)).join(", ");
      return bad.length === 1
        ? [`volume ${names} uses restricted volume ${plural} ${kinds}`]
        : [`volumes ${names} use restricted volume ${plural} ${kinds}`];
    },
  },
  {
    reason: "runAsNonRoot != true",
    find: (spec) => {
      const ofPod = spec.securityContext?.runAsNonRoot;
      const explicitlyBad = containersOf(spec).filter(({ securityContext }) => securityContext?.runAsNonRoot === false);
      const implicitlyBad = containersOf(spec).filter(
        ({ securityContext }) => securityContext?.runAsNonRoot === undefined && ofPod !== true,
      );
      const what = "must set securityContext.runAsNonRoot=true";
      return [
        ...(ofPod === false ? ["pod must not set securityContext.runAsNonRoot=false"] : []),
        ...eitherMust(explicitlyBad, "must not set securityContext.runAsNonRoot=false", ""),
        ...(ofPod === false ? [] : eitherMust(implicitlyBad, what, "pod or ")),
      ];
    },
  },
  {
    reason: "runAsUser=0",
    find: (spec) => [
      ...(spec.securityContext?.runAsUser === 0 ? ["pod must not set runAsUser=0"] : []),
      ...eachMust(spec, ({ securityContext }) => securityContext?.runAsUser === 0, "must not set runAsUser=0"),
    ],
  },
  {
    reason: "seccompProfile",
    find: (spec) => {
      if (isWindows(spec)) return [];
      const ofPod = spec.securityContext?.seccompProfile?.type;
      const isPodGood = ofPod !== undefined && goodProfiles.has(ofPod);
      const typeOf = ({ securityContext }: Container): string | undefined => securityContext?.seccompProfile?.type;
      const explicitlyBad = containersOf(spec).filter(
        (one) => typeOf(one) !== undefined && !goodProfiles.has(typeOf(one) ?? ""),
      );
      const implicitlyBad = containersOf(spec).filter((one) => typeOf(one) === undefined && !isPodGood);
      const what = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"';
      return [
        ...(ofPod !== undefined && !isPodGood
          ? [`pod must not set securityContext.seccompProfile.type to ${quoted(ofPod)}`]
          : []),
        ...eitherMust(
          explicitlyBad,
          `must not set securityContext.seccompProfile.type to ${quotedList(explicitlyBad.map((one) => typeOf(one) ?? ""))}`,
          "",
        ),
        ...(ofPod === undefined ? eitherMust(implicitlyBad, what, "pod or ") : []),
      ];
    },
  },
];

function eitherMust(containers: readonly Container[], what: string, who: string): readonly string[] {
  const names = named(containers);
  return names === undefined ? [] : [`${who}${names} ${what}`];
}

function capabilityProblems(spec: PodSpec): readonly string[] {
  const dropsAll = ({ securityContext }: Container): boolean =>
    securityContext?.capabilities?.drop?.includes("ALL") === true;
  const added = ({ securityContext }: Container): readonly string[] =>
    (securityContext?.capabilities?.add ?? []).filter((one) => one !== "NET_BIND_SERVICE");
  const adding = containersOf(spec).filter((one) => added(one).length > 0);
  return [
    ...eachMust(spec, (one) => !dropsAll(one), 'must set securityContext.capabilities.drop=["ALL"]'),
    ...eitherMust(
      adding,
      `must not include ${quotedList(adding.flatMap(added))} in securityContext.capabilities.add`,
      "",
    ),
  ];
}
