/** All that lies between the decision to start a container and its process: image, environment, mounts, runtime. */
import type { Pod } from "../../../api/generated/types.ts";
import { makeSubPath } from "../../../container/index.ts";
import type { ContainerRuntime, ContainerSpec, ContainerStatus, Mount } from "../../../container/runtime.ts";
import type { FieldContext } from "../../../model/pod-environment/index.ts";
import { containerEnvironment, EnvironmentError, expandVariables } from "../../../model/pod-environment/index.ts";
import type { PodEvents } from "../events.ts";
import type { ClusterObjects } from "../objects.ts";
import { containerSpec } from "./container-spec.ts";
import type { AnyContainer } from "./find-container.ts";
import type { ImagePuller } from "./image-puller.ts";
import { podFileMounts, writeHostsFile } from "./pod-files.ts";
import { StartError } from "./start-error.ts";
import type { StartLimit } from "./limit-concurrency.ts";

export interface StartContext {
  readonly runtime: ContainerRuntime;
  readonly images: ImagePuller;
  readonly objects: ClusterObjects;
  readonly events: PodEvents;
  readonly nodeRoot: string;
  readonly clusterDomain: string;
  /** Runs so many at once and lets the others wait: starts of many pods must not slow each other down. */
  readonly limit: StartLimit;
}

export interface StartRequest {
  readonly pod: Pod;
  readonly container: AnyContainer;
  readonly attempt: number;
  readonly netnsPath: string;
  readonly hostname: string;
  readonly fields: FieldContext;
  readonly volumes: ReadonlyMap<string, string>;
  /** Told before the runtime is: its exit may be heard before `start` resolves. */
  readonly onSpec: (spec: ContainerSpec) => void;
}

/** Makes the events Pulling, Pulled, Created, Started or Failed. Rejects with `StartError`. */
export async function startContainer(context: StartContext, request: StartRequest): Promise<ContainerStatus> {
  const { runtime, images, events } = context;
  const { pod, container } = request;
  const [image, env] = await Promise.all([
    images.ensure(pod, container),
    context.objects.referencedBy(pod, container).then((found) => ({ ...request.fields, ...found })),
  ]);
  try {
    const variables = containerEnvironment(container, env);
    const { nodeRoot, clusterDomain } = context;
    writeHostsFile({ pod, ips: request.fields.podIps, clusterDomain, nodeRoot });
    const spec = containerSpec({
      ...request,
      image,
      env: variables,
      mounts: mountsOf(request, nodeRoot, (name) => variables.get(name)),
      nodeRoot,
      memoryBytes: request.fields.allocatable.memoryBytes,
    });
    request.onSpec(spec);
    const status = await context.limit(() => runtime.start(spec), pod.spec?.priority);
    events.normal(pod, container.name, "Created", "Container created");
    events.normal(pod, container.name, "Started", "Container started");
    return status;
  } catch (error) {
    const failure = asStartError(error);
    const isConfig = failure.code === "CreateContainerConfigError" || failure.code === "CreateContainerError";
    if (!isConfig) events.normal(pod, container.name, "Created", "Container created");
    events.warning(pod, container.name, "Failed", `Error: ${failure.message}`);
    throw failure;
  }
}

function asStartError(error: unknown): StartError {
  if (error instanceof StartError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof EnvironmentError) return new StartError("CreateContainerConfigError", message, { cause: error });
  const reason = error instanceof Error && "reason" in error ? String(error.reason) : "RunContainerError";
  return new StartError(reason, message, { cause: error });
}

function subPathOf(volume: string, source: string, path: string): string {
  try {
    return makeSubPath(source, path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `failed to create subPath directory for volumeMount "${volume}" of path "${path}": ${why}`;
    throw new StartError("CreateContainerConfigError", message, { cause: error });
  }
}

function mountsOf(
  { pod, container, attempt, volumes }: StartRequest,
  nodeRoot: string,
  lookUp: (name: string) => string | undefined,
): readonly Mount[] {
  const own = (container.volumeMounts ?? []).map(({ name, mountPath, readOnly, subPath, subPathExpr }) => {
    const source = volumes.get(name);
    if (source === undefined) {
      throw new StartError(
        "CreateContainerConfigError",
        `cannot find volume "${name}" to mount into container "${container.name}"`,
      );
    }
    const within = subPathExpr === undefined ? (subPath ?? "") : expandVariables(subPathExpr, lookUp);
    if (within.startsWith("/")) {
      throw new StartError("CreateContainerConfigError", `error SubPath \`${within}\` must not be an absolute path`);
    }
    if (within.split("/").includes("..")) {
      const why = `unable to provision SubPath \`${within}\`: must not contain '..'`;
      throw new StartError("CreateContainerConfigError", why);
    }
    return {
      source: within === "" ? source : subPathOf(name, source, within),
      target: mountPath.startsWith("/") ? mountPath : `/${mountPath}`,
      isReadOnly: readOnly ?? false,
    };
  });
  return [...podFileMounts(nodeRoot, pod, { container, attempt }), ...own];
}
