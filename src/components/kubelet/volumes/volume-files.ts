/** The files of volumes made from API objects. */
import type {
  ConfigMap,
  DownwardAPIVolumeFile,
  KeyToPath,
  Pod,
  Secret,
  VolumeProjection,
} from "../../../api/generated/types.ts";
import type { VolumeFile } from "../../../container/index.ts";
import { fieldText, resourceText } from "../../../model/pod-environment/index.ts";
import type { FieldContext } from "../../../model/pod-environment/index.ts";
import type { ClusterObjects } from "../objects.ts";
import { findContainer } from "../pods/find-container.ts";
import type { Tokens } from "./tokens.ts";

export type VolumeFiles = ReadonlyMap<string, VolumeFile>;

/** What is asked for is not there; becomes the reason of a `VolumeError`. */
class VolumeSourceError extends Error {
  override readonly name = "VolumeSourceError";
  readonly code = "VOLUME_SOURCE";
}

export interface VolumeSources {
  readonly objects: ClusterObjects;
  readonly tokens: Tokens;
}

interface ObjectSource {
  readonly name: string;
  readonly items?: readonly KeyToPath[];
  readonly optional?: boolean;
}

export async function configMapFiles(sources: VolumeSources, pod: Pod, source: ObjectSource): Promise<VolumeFiles> {
  const { namespace = "default" } = pod.metadata ?? {};
  const found = await sources.objects.configMap(namespace, source.name);
  return objectFiles("configmap", source, found === undefined ? undefined : configMapData(found));
}

export async function secretFiles(sources: VolumeSources, pod: Pod, source: ObjectSource): Promise<VolumeFiles> {
  const { namespace = "default" } = pod.metadata ?? {};
  const found = await sources.objects.secret(namespace, source.name);
  return objectFiles("secret", source, found === undefined ? undefined : secretData(found));
}

function configMapData({ data = {}, binaryData = {} }: ConfigMap): ReadonlyMap<string, Uint8Array | string> {
  const binary = Object.entries(binaryData).map(([key, text]) => [key, Buffer.from(text, "base64")] as const);
  return new Map<string, Uint8Array | string>([...Object.entries(data), ...binary]);
}

function secretData({ data = {} }: Secret): ReadonlyMap<string, Uint8Array> {
  return new Map(Object.entries(data).map(([key, text]) => [key, Buffer.from(text, "base64")] as const));
}

function objectFiles(
  kind: "configmap" | "secret",
  { name, items, optional = false }: ObjectSource,
  data: ReadonlyMap<string, Uint8Array | string> | undefined,
): VolumeFiles {
  if (data === undefined) {
    if (optional) return new Map();
    throw new VolumeSourceError(`${kind} "${name}" not found`);
  }
  if (items === undefined) return new Map([...data].map(([key, contents]) => [key, { contents }] as const));
  const files = new Map<string, VolumeFile>();
  for (const { key, path, mode } of items) {
    const contents = data.get(key);
    if (contents !== undefined) files.set(path, { contents, ...(mode === undefined ? {} : { mode }) });
    else if (!optional) throw new VolumeSourceError(`${kind} references non-existent config key: ${key}`);
  }
  return files;
}

export function downwardFiles(items: readonly DownwardAPIVolumeFile[], context: FieldContext): VolumeFiles {
  return new Map(
    items.map(({ path, fieldRef, resourceFieldRef, mode }) => {
      const container = findContainer(context.pod, resourceFieldRef?.containerName ?? "");
      let contents = "";
      if (fieldRef !== undefined) contents = fieldText(fieldRef.fieldPath, context);
      else if (resourceFieldRef !== undefined && container !== undefined) {
        contents = resourceText(resourceFieldRef, container, context);
      }
      return [path, { contents, ...(mode === undefined ? {} : { mode }) }] as const;
    }),
  );
}

/**
 * All sources in one folder; of two files with one path the later source's counts.
 *
 * @param given.present - What the volume has at a path now; undefined where there is nothing.
 */
export async function projectedFiles(
  sources: VolumeSources,
  context: FieldContext,
  given: {
    readonly projections: readonly VolumeProjection[];
    readonly present: (path: string) => string | undefined;
  },
): Promise<VolumeFiles> {
  const { projections, present } = given;
  const parts = await Promise.all(
    projections.map((projection) => projectionFiles({ ...sources, present }, context, projection)),
  );
  return new Map(parts.flatMap((part) => [...part]));
}

async function projectionFiles(
  sources: VolumeSources & { readonly present: (path: string) => string | undefined },
  context: FieldContext,
  { configMap, secret, downwardAPI, serviceAccountToken }: VolumeProjection,
): Promise<VolumeFiles> {
  const { pod } = context;
  if (configMap !== undefined) return configMapFiles(sources, pod, { name: "", ...configMap });
  if (secret !== undefined) return secretFiles(sources, pod, { name: "", ...secret });
  if (downwardAPI !== undefined) return downwardFiles(downwardAPI.items ?? [], context);
  if (serviceAccountToken !== undefined) {
    const { path } = serviceAccountToken;
    const token = await sources.tokens.tokenFor(pod, serviceAccountToken, sources.present(path));
    return new Map([[path, { contents: token }]]);
  }
  throw new VolumeSourceError("the projected source is of a kind this cluster does not have");
}
