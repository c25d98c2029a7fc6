/**
 * Kubernetes quantities: `100m`, `1.5`, `2Gi`, `1e3`. Held exactly, as an integer of nano-units, because sums of
 * floating-point numbers would drift and upstream rounds to nano as well.
 */

/** Decimal SI (`m`, `k`, `M`), binary SI (`Ki`, `Mi`) or decimal exponent (`e3`): the suffix is kept when printed. */
export type QuantityFormat = "DecimalSI" | "BinarySI" | "DecimalExponent";

export interface Quantity {
  readonly nano: bigint;
  readonly format: QuantityFormat;
}

/** A quantity's text cannot be read; the message is upstream's. */
export class QuantityError extends Error {
  override readonly name = "QuantityError";
  readonly code = "QUANTITY_INVALID";
}

const quantityPattern = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$";

const decimalExponents: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  "": 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const binaryExponents: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
const nanoPerUnit = 1_000_000_000n;

function syntaxError(): QuantityError {
  return new QuantityError(`quantities must match the regular expression '${quantityPattern.replaceAll("/", "\\/")}'`);
}

/** Reads a quantity, finer parts than nano rounded up (away from zero). Throws `QuantityError`. */
export function parseQuantity(text: string): Quantity {
  if (text.length > 64) throw syntaxError();
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:([KMGTPE]i)|([numkMGTPE]?)|[eE]([+-]?\d{1,3}))$/.exec(text);
  const [, sign = "", whole = "", fraction = "", binary, decimal, exponent] = match ?? [];
  if (match === null || whole + fraction === "") {
    throw text === "" ? new QuantityError("quantity must not be empty") : syntaxError();
  }
  let numerator = BigInt(whole + fraction);
  let tens = 9 - fraction.length;
  let format: QuantityFormat = "DecimalSI";
  if (binary !== undefined) {
    numerator <<= BigInt(binaryExponents[binary] ?? 0);
    format = "BinarySI";
  } else if (exponent !== undefined) {
    tens += Number(exponent);
    format = "DecimalExponent";
  } else {
    tens += decimalExponents[decimal ?? ""] ?? 0;
  }
  let nano = tens >= 0 ? numerator * 10n ** BigInt(tens) : ceilDivide(numerator, 10n ** BigInt(-tens));
  // Upstream caps what does not fit its 64-bit integers.
  const limit = 2n ** 63n * nanoPerUnit - nanoPerUnit;
  if (nano > limit) nano = limit;
  return { nano: sign === "-" ? -nano : nano, format };
}

function ceilDivide(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}

/** The canonical text: no fraction, the largest suffix that keeps the value exact. */
export function quantityText({ nano, format }: Quantity): string {
  if (nano === 0n) return "0";
  const sign = nano < 0n ? "-" : "";
  const size = nano < 0n ? -nano : nano;
  if (format === "BinarySI" && size >= 1024n * nanoPerUnit && size % nanoPerUnit === 0n) {
    return sign + binaryText(size / nanoPerUnit);
  }
  let digits = size;
  let exponent = -9;
  while (digits % 1000n === 0n && exponent < 18) {
    digits /= 1000n;
    exponent += 3;
  }
  if (format === "DecimalExponent") return `${sign}${digits}${exponent === 0 ? "" : `e${exponent}`}`;
  const suffix = Object.entries(decimalExponents).find(([, value]) => value === exponent)?.[0] ?? "";
  return `${sign}${digits}${suffix}`;
}

function binaryText(units: bigint): string {
  let digits = units;
  let suffix = "";
  for (const candidate of Object.keys(binaryExponents)) {
    if (digits % 1024n !== 0n) break;
    digits /= 1024n;
    suffix = candidate;
  }
  return `${digits}${suffix}`;
}

/** Negative, zero or positive, as for `Array.sort`. */
export function compareQuantities(left: Quantity, right: Quantity): number {
  if (left.nano === right.nano) return 0;
  return left.nano < right.nano ? -1 : 1;
}

/** The sum, in the format of `left` unless that is zero. */
export function addQuantities(left: Quantity, right: Quantity): Quantity {
  return { nano: left.nano + right.nano, format: left.nano === 0n ? right.format : left.format };
}

/** The difference, in the format of `left` unless that is zero. */
export function subtractQuantities(left: Quantity, right: Quantity): Quantity {
  return addQuantities(left, { nano: -right.nano, format: right.format });
}

/** Whole units, rounded up: bytes of memory. */
export function quantityUnits({ nano }: Quantity): number {
  return Number(nano >= 0n ? ceilDivide(nano, nanoPerUnit) : nano / nanoPerUnit);
}

/** Thousandths, rounded up: milli-CPUs. */
export function quantityMilli({ nano }: Quantity): number {
  return Number(nano >= 0n ? ceilDivide(nano, 1_000_000n) : nano / 1_000_000n);
}
