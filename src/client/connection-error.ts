/** The API server could not be asked, or its answer broke off: whether the request took effect is not known. */
export class ConnectionError extends Error {
  readonly code = "ConnectionError";
  override readonly name = "ConnectionError";
}
