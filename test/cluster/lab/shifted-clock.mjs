// Loaded into every process of a cluster by NODE_OPTIONS: a clock that is set while they run. How far, in milliseconds, lies
// in the file that NETLOOM_TEST_CLOCK names. Only what Node tells is shifted, not the machine's own clock; timers, as in
// the kernel, do not notice.
import fs, { readFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const file = process.env.NETLOOM_TEST_CLOCK ?? "";
const lookMs = 20;
const RealDate = globalThis.Date;
let shiftMs = 0;
let lookedAt = -lookMs;

function now() {
  const uptime = performance.now();
  if (uptime - lookedAt >= lookMs) {
    lookedAt = uptime;
    try {
      shiftMs = Number(readFileSync(file, "utf8"));
    } catch {
      // It is being written, or of a cluster that has ended.
    }
  }
  return RealDate.now() + shiftMs;
}

class ShiftedDate extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(now());
    else super(...args);
  }

  static now() {
    return now();
  }
}

globalThis.Date = ShiftedDate;

// The kernel would write the shifted time: when a container ended is told by a file's.
const { statSync } = fs;
fs.statSync = (...args) => {
  const stat = statSync(...args);
  if (typeof stat?.mtimeMs === "number") stat.mtimeMs += now() - RealDate.now();
  return stat;
};
syncBuiltinESMExports();
