/** The API's audit log, on demand: a file beside the others, kept below a size. */
import { closeSync, fstatSync, openSync, renameSync, writeSync } from "node:fs";
import type { Logger } from "../machinery/log.ts";

const mostBytes = 64 * 1024 * 1024;

export interface AuditLog {
  write(line: string): void;
  close(): void;
}

/** A full file becomes `<path>.1`, and what was there is gone. A line that cannot be written is told once, and lost. */
export function openAuditLog(path: string, log: Logger): AuditLog {
  let fd = openSync(path, "a", 0o600);
  let written = fstatSync(fd).size;
  let isBroken = false;
  return {
    write: (line) => {
      try {
        written += writeSync(fd, `${line}\n`);
        if (written > mostBytes) {
          renameSync(path, `${path}.1`);
          // Opened before the other is closed: the number of a closed file may be a connection's a moment later.
          const next = openSync(path, "a", 0o600);
          closeSync(fd);
          fd = next;
          written = 0;
        }
        isBroken = false;
      } catch (error) {
        if (!isBroken) log.error("requests to the API are not written down", { path, error });
        isBroken = true;
      }
    },
    close: () => closeSync(fd),
  };
}
