/** An archive that is no image, or a broken or hostile one; the message names the file and the reason. */
export class ArchiveError extends Error {
  readonly code = "Archive";

  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.name = "ArchiveError";
  }
}
