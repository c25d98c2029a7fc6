/** `netloom version`. */
import { readFileSync } from "node:fs";
import { arch, release } from "node:os";

/** "0.1.0". */
export function packageVersion(): string {
  // Beside the entry's folder both in a clone (src/cmd/) and bundled (dist/): the package's own package.json.
  const file = new URL(import.meta.url.endsWith(".ts") ? "../../package.json" : "../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

export const kubernetesVersion = "v1.35.0+netloom";

/** The package's version and the Kubernetes version its API reports. */
export const version = (): string => `netloom ${packageVersion()} (Kubernetes API ${kubernetesVersion})`;

/** What a bug report should begin with. */
export const versions = () => ({
  netloom: packageVersion(),
  kubernetes: kubernetesVersion,
  node: process.version,
  kernel: release(),
  architecture: arch(),
  system: /^PRETTY_NAME="?([^"\n]*)/m.exec(systemRelease())?.[1] ?? "unknown",
});

function systemRelease(): string {
  try {
    return readFileSync("/etc/os-release", "utf8");
  } catch {
    // Not every system has one; nothing but this word depends on it.
    return "";
  }
}
