/** What errors of the API mean to a controller. */
import { ApiError } from "../../api/status.ts";

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.code === 404;
}

export function isAlreadyExists(error: unknown): boolean {
  return error instanceof ApiError && error.reason === "AlreadyExists";
}

function isConflict(error: unknown): boolean {
  return error instanceof ApiError && error.reason === "Conflict";
}

/** The namespace is being deleted and takes nothing new: not worth another try. */
export function isNamespaceTerminating(error: unknown): boolean {
  if (!(error instanceof ApiError) || error.code !== 403) return false;
  return (error.status.details?.causes ?? []).some(({ reason }) => reason === "NamespaceTerminating");
}

/** Does what `write` does, where the object is not gone or remade already. Says whether it was there. */
export async function whereItStillIs(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (isNotFound(error) || isConflict(error)) return false;
    throw error;
  }
}
