/** A container cannot be started for now: what its status shows, and what is said in the event. */
export class StartError extends Error {
  override readonly name = "StartError";
  /** The waiting reason: "ErrImagePull", "CreateContainerConfigError", "RunContainerError", … */
  readonly code: string;
  /** Shown a second later instead. */
  readonly later: { readonly reason: string; readonly message: string } | undefined;
  readonly retryAtMs: number | undefined;

  constructor(
    code: string,
    message: string,
    options: {
      readonly later?: { readonly reason: string; readonly message: string };
      readonly retryAtMs?: number;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.code = code;
    this.later = options.later;
    this.retryAtMs = options.retryAtMs;
  }
}
