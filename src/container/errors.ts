/** What callers of the container room act on. The reasons are the waiting reasons a Kubernetes user knows from `kubectl get pods`. */

export type ImageErrorReason = "ErrImagePull" | "InvalidImageName" | "ErrImageNeverPull";

/** An image that cannot be had; the message is what upstream's event would say, with the remedy behind it. */
export class ImageError extends Error {
  readonly code = "Image";
  readonly reason: ImageErrorReason;

  constructor(reason: ImageErrorReason, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = "ImageError";
    this.reason = reason;
  }
}

export type ContainerErrorReason = "RunContainerError" | "CreateContainerError" | "CreateContainerConfigError";

/** A container or a process in one that cannot be started, or that does not exist. */
export class ContainerError extends Error {
  readonly code = "Container";
  readonly reason: ContainerErrorReason;

  constructor(reason: ContainerErrorReason, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = "ContainerError";
    this.reason = reason;
  }
}

/** `execSync` ran into its limit; its process was killed. */
export class ExecTimeoutError extends Error {
  readonly code = "ExecTimeout";

  constructor(command: readonly string[], timeoutMs: number) {
    super(`command ${JSON.stringify(command.join(" "))} timed out after ${timeoutMs} ms`);
    this.name = "ExecTimeoutError";
  }
}

/** Exit code of a container whose process never ran, as containerd reports it beside the reason "StartError". */
export const startErrorExitCode = 128;
