/** Puts together what the runtime is told of one run of a container. */
import { randomBytes } from "node:crypto";
import type { Pod } from "../../../api/generated/types.ts";
import type { ContainerSpec, Image, Mount } from "../../../container/runtime.ts";
import { expandVariables } from "../../../model/pod-environment/index.ts";
import { oomScoreAdjust } from "../../../model/pod-resources/index.ts";
import type { AnyContainer } from "./find-container.ts";
import { containerLogPath } from "./paths.ts";
import { containerRights } from "./security.ts";
import { StartError } from "./start-error.ts";
import { sysctlsOf } from "./sysctls.ts";

export interface ContainerSpecInput {
  readonly pod: Pod;
  readonly container: AnyContainer;
  readonly attempt: number;
  readonly image: Image;
  readonly env: ReadonlyMap<string, string>;
  readonly mounts: readonly Mount[];
  readonly netnsPath: string;
  readonly hostname: string;
  readonly nodeRoot: string;
  /** Of the node. */
  readonly memoryBytes: number;
}

/** Throws `StartError` where the container must not or cannot be run so. */
export function containerSpec(input: ContainerSpecInput): ContainerSpec {
  const { pod, container, attempt, image, env, mounts, netnsPath, hostname, nodeRoot, memoryBytes } = input;
  const { namespace = "", name = "", uid = "" } = pod.metadata ?? {};
  const oomScoreAdj = oomScoreAdjust(pod, container, memoryBytes);
  return {
    id: randomBytes(32).toString("hex"),
    pod: { namespace, name, uid },
    name: container.name,
    attempt,
    image,
    argv: commandLine(container, image, env),
    env: [...env].map(([variable, value]) => `${variable}=${value}`),
    workingDir: first(container.workingDir, image.workingDir, "/"),
    ...containerRights(pod, container, image),
    hasTerminal: container.tty ?? false,
    hasStdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    mounts,
    networkNamespacePath: netnsPath,
    hostname,
    sysctls: sysctlsOf(pod),
    ...(oomScoreAdj === undefined ? {} : { oomScoreAdj }),
    logPath: containerLogPath(nodeRoot, pod, { name: container.name, attempt }),
  };
}

/** `command` replaces the image's entrypoint and, with it, its arguments; `args` replaces only the arguments. */
function commandLine(container: AnyContainer, image: Image, env: ReadonlyMap<string, string>): readonly string[] {
  const expand = (words: readonly string[]): readonly string[] =>
    words.map((word) => expandVariables(word, (variable) => env.get(variable)));
  const command = expand(container.command ?? []);
  const args = expand(container.args ?? []);
  const rest = args.length > 0 || command.length > 0 ? args : image.command;
  const argv = [...(command.length > 0 ? command : image.entrypoint), ...rest];
  if (argv.length === 0) throw new StartError("CreateContainerError", "no command specified");
  return argv;
}

function first(...candidates: readonly (string | undefined)[]): string {
  return candidates.find((candidate) => candidate !== undefined && candidate !== "") ?? "";
}
