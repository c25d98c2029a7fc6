/** How a program in a pod finds the API server and proves who it is: the environment and the mounted service account. */
import { readFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import { KubeconfigError } from "./types.ts";
import type { Kubeconfig } from "./types.ts";

const serviceAccountDir = "/var/run/secrets/kubernetes.io/serviceaccount";

export interface InClusterOptions {
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Where `token`, `ca.crt` and `namespace` are mounted. */
  readonly dir?: string;
}

/**
 * Reads the files anew with each call: the kubelet renews the token, so long-lived programs ask again. Throws
 * `KubeconfigError` outside of a pod.
 */
export function inClusterKubeconfig(options: InClusterOptions = {}): Kubeconfig {
  const { environment = process.env, dir = serviceAccountDir } = options;
  const host = environment["KUBERNETES_SERVICE_HOST"] ?? "";
  const port = environment["KUBERNETES_SERVICE_PORT"] ?? "";
  if (host === "" || port === "")
    throw new KubeconfigError(
      "Cannot find the API server: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set; run it in a pod or name a kubeconfig",
    );
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    ca: read(dir, "ca.crt"),
    token: read(dir, "token").trim(),
    namespace: read(dir, "namespace").trim(),
    skipsVerification: false,
  };
}

function read(dir: string, name: string): string {
  try {
    return readFileSync(`${dir}/${name}`, "utf8");
  } catch (error) {
    throw new KubeconfigError(
      `Cannot read the service account's ${dir}/${name}: run it in a pod with automountServiceAccountToken`,
      { cause: error },
    );
  }
}
