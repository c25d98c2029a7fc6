/** A container's configuration asks for something that is not there; the message is upstream's, shown as CreateContainerConfigError. */
export class EnvironmentError extends Error {
  override readonly name = "EnvironmentError";
  readonly code = "CreateContainerConfigError";
}
