/** How a command ended, as the error stream tells it. */
import { hasJsonStatus } from "./protocols.ts";

export type ExitResult =
  | { readonly type: "exited"; readonly exitCode: number }
  /** The command could not be run, or the streams broke. */
  | { readonly type: "failed"; readonly message: string };

/** What is written to the error stream; "" : nothing. */
export function exitStatusText(result: ExitResult, protocol: string): string {
  if (!hasJsonStatus(protocol)) {
    if (result.type === "failed") return result.message;
    return result.exitCode === 0 ? "" : `command terminated with non-zero exit code: exit status ${result.exitCode}`;
  }
  return JSON.stringify(statusOf(result));
}

function statusOf(result: ExitResult): unknown {
  if (result.type === "failed") {
    const message = `Internal error occurred: ${result.message}`;
    const details = { causes: [{ message: result.message }] };
    return { metadata: {}, status: "Failure", message, reason: "InternalError", details, code: 500 };
  }
  if (result.exitCode === 0) return { metadata: {}, status: "Success" };
  return {
    metadata: {},
    status: "Failure",
    message: `command terminated with non-zero exit code: exit status ${result.exitCode}`,
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: String(result.exitCode) }] },
  };
}
