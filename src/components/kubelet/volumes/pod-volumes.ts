/** The folders behind a pod's volumes, at upstream's places under the pod's folder. */
import type { Pod, Volume } from "../../../api/generated/types.ts";
import {
  makeEmptyDir,
  makeMemoryDir,
  readVolumeFile,
  removeVolumes,
  resolveHostPath,
  writeAtomicVolume,
} from "../../../container/index.ts";
import { parseQuantity, quantityUnits } from "../../../lib/quantity/index.ts";
import type { FieldContext } from "../../../model/pod-environment/index.ts";
import { podDir } from "../pods/paths.ts";
import { VolumeError } from "./errors.ts";
import { claimedFolder } from "./claimed-folder.ts";
import { configMapFiles, downwardFiles, projectedFiles, secretFiles } from "./volume-files.ts";
import type { VolumeFiles, VolumeSources } from "./volume-files.ts";

export interface PodVolumes {
  /**
   * Makes what is missing of the pod's volumes and brings what is made from API objects up to date. Rejects with
   * `VolumeError` while one cannot be made: the pod waits, as upstream's does.
   *
   * @returns The source of each volume by its name, absolute, in the agent's mount namespace.
   */
  prepare(pod: Pod, context: FieldContext): Promise<ReadonlyMap<string, string>>;
  /** Removes them; harmless where there are none. */
  release(uid: string): void;
}

/** Whether what is in a volume of the pod can change while it runs. */
export function hasChangingVolumes({ spec }: Pod): boolean {
  return (spec?.volumes ?? []).some(
    ({ configMap, secret, downwardAPI, projected }) => (configMap ?? secret ?? downwardAPI ?? projected) !== undefined,
  );
}

const defaultMode = 0o644;

export function createPodVolumes(nodeRoot: string, sources: VolumeSources): PodVolumes {
  async function make(pod: Pod, volume: Volume, context: FieldContext): Promise<string> {
    const folder = (plugin: string): string =>
      `${podDir(nodeRoot, pod.metadata?.uid ?? "")}/volumes/kubernetes.io~${plugin}/${volume.name}`;
    const group = pod.spec?.securityContext?.fsGroup;
    const write = (plugin: string, files: VolumeFiles, mode: number | undefined): string => {
      writeAtomicVolume(folder(plugin), files, {
        mode: mode ?? defaultMode,
        ...(group === undefined ? {} : { group }),
      });
      return folder(plugin);
    };
    const { emptyDir, hostPath, configMap, secret, downwardAPI, projected, persistentVolumeClaim } = volume;
    if (hostPath !== undefined) return resolveHostPath(nodeRoot, hostPath.path, hostPath.type);
    if (persistentVolumeClaim !== undefined) {
      return await claimedFolder(nodeRoot, sources.objects, pod, persistentVolumeClaim.claimName);
    }
    if (configMap !== undefined) {
      const files = await configMapFiles(sources, pod, { name: "", ...configMap });
      return write("configmap", files, configMap.defaultMode);
    }
    if (secret !== undefined) {
      const files = await secretFiles(sources, pod, { name: secret.secretName ?? "", ...secret });
      return write("secret", files, secret.defaultMode);
    }
    if (downwardAPI !== undefined) {
      return write("downward-api", downwardFiles(downwardAPI.items ?? [], context), downwardAPI.defaultMode);
    }
    if (projected !== undefined) {
      const present = (path: string): string | undefined => readVolumeFile(folder("projected"), path);
      const files = await projectedFiles(sources, context, { projections: projected.sources ?? [], present });
      return write("projected", files, projected.defaultMode);
    }
    const kinds = Object.keys(volume).filter((key) => key !== "name");
    if (emptyDir === undefined && kinds.length > 0) throw new Error(`no volume plugin matched for ${kinds.join(", ")}`);
    const place = folder("empty-dir");
    if (emptyDir?.medium === "Memory") {
      const { sizeLimit } = emptyDir;
      const size = sizeLimit === undefined ? {} : { sizeBytes: quantityUnits(parseQuantity(sizeLimit)) };
      makeMemoryDir(place, { ...size, ...(group === undefined ? {} : { group }) });
    } else makeEmptyDir(place, group);
    return place;
  }

  return {
    prepare: async (pod, context) => {
      const made = await Promise.all(
        (pod.spec?.volumes ?? []).map(async (volume) => {
          try {
            return [volume.name, await make(pod, volume, context)] as const;
          } catch (error) {
            const reason = error instanceof Error ? error.message : String(error);
            throw new VolumeError(volume.name, reason, { cause: error });
          }
        }),
      );
      return new Map(made);
    },
    release: (uid) => {
      sources.tokens.forget(uid);
      removeVolumes(`${podDir(nodeRoot, uid)}/volumes`);
    },
  };
}
