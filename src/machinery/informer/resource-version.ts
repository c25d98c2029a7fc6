/**
 * Orders two resource versions of one resource: negative where `a` is older. They are decimal numbers of any length
 * (Kubernetes 1.35 promises that they compare so), and a missing one is older than all.
 */
export function compareResourceVersions(a: string | undefined, b: string | undefined): number {
  const left = a ?? "";
  const right = b ?? "";
  if (left.length !== right.length) return left.length - right.length;
  return left < right ? -1 : left > right ? 1 : 0;
}
