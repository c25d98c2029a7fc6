/** The kernel or libnftables refused rules. `code` is an errno's name where there is one. */
export class NftablesError extends Error {
  readonly code: string;
  override readonly name = "NftablesError";

  constructor(action: string, reason: string, code: string, options?: ErrorOptions) {
    super(`Cannot ${action}: ${reason}`, options);
    this.code = code;
  }
}
