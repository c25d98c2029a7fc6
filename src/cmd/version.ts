/** `netloom version`. */
import { readFileSync } from "node:fs";

/** The package's version and the Kubernetes version its API reports. */
export function version(): string {
  // Beside the entry's folder both in a clone (src/cmd/) and bundled (dist/): the package's own package.json.
  const file = new URL(import.meta.url.endsWith(".ts") ? "../../package.json" : "../package.json", import.meta.url);
  const { version: own } = JSON.parse(readFileSync(file, "utf8")) as { version: string };
  return `netloom ${own} (Kubernetes API ${kubernetesVersion})`;
}

export const kubernetesVersion = "v1.35.0+netloom";
