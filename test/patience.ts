/**
 * How many times longer than on a machine of today everything may take here: `NETLOOM_TEST_PATIENCE=15` for an emulated
 * processor. It lengthens waiting only; what must hold in the end is the same.
 */
export const patience = readPatience(process.env["NETLOOM_TEST_PATIENCE"]);

/** Throws where the variable is set to anything but a number of at least 1. */
function readPatience(text = "1"): number {
  const factor = Number(text);
  if (factor >= 1 && factor < 1000) return factor;
  throw new Error(`Cannot read NETLOOM_TEST_PATIENCE ${JSON.stringify(text)}: set it to a number from 1 to 999`);
}

/** Lengthens the deadlines in a command of kubectl's: `--timeout=30s`. */
export function patiently(text: string): string {
  return text.replaceAll(
    /(--(?:request-)?timeout=)(\d+)s/g,
    (_, flag: string, seconds: string) => `${flag}${Number(seconds) * patience}s`,
  );
}
