/** Says in the API's words that the store could not do it. */
import { ApiError, internalError } from "../../../api/status.ts";
import { StorageError } from "../../../storage/index.ts";

/** 507 for a full disk, 500 for the rest; errors that are none of the store's come back as they are. */
export function storageFailure(error: unknown): unknown {
  if (!(error instanceof StorageError)) return error;
  if (!/disk is full|no space/i.test(error.message)) return internalError(error.message, error);
  const message = `${error.message}; free some space on the disk that holds the cluster's state`;
  return new ApiError(
    { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason: "InternalError", code: 507 },
    { cause: error },
  );
}
