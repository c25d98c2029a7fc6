/** A request that is answered with an error: its status code and the text upstream's kubelet answers with. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}
