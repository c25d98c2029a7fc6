import { constants } from "node:os";

/** Of two names for one number the first counts, which is the one Node's own errors use: EAGAIN, not EWOULDBLOCK. */
const errnoNames = new Map(
  Object.entries(constants.errno)
    .map(([name, number]) => [number, name] as const)
    .toReversed(),
);

/** "ENOENT" for 2; "errno 4242" for a number without a name. */
export function errnoName(errno: number): string {
  return errnoNames.get(errno) ?? `errno ${errno}`;
}

/** A failed system call; `code` is the errno's name ("EPERM"). */
export class SystemCallError extends Error {
  readonly code: string;
  readonly errno: number;

  constructor(call: string, errno: number) {
    const code = errnoName(errno);
    super(`${call}: ${code}`);
    this.name = "SystemCallError";
    this.code = code;
    this.errno = errno;
  }
}
