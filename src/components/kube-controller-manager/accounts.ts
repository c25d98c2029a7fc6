/** Under which service account of kube-system each controller acts: upstream's, so that upstream's roles fit. */
import { resources } from "../../api/resources.ts";
import type { ApiClient } from "../../client/index.ts";
import type { Logger } from "../../machinery/log.ts";
import { isAlreadyExists } from "./answers.ts";

const accounts: Readonly<Record<string, string>> = {
  "certificatesigningrequest-approving-controller": "certificate-controller",
  "certificatesigningrequest-cleaner-controller": "certificate-controller",
  "certificatesigningrequest-signing-controller": "certificate-controller",
  "daemonset-controller": "daemon-set-controller",
  "endpoints-controller": "endpoint-controller",
  "endpointslice-mirroring-controller": "endpointslicemirroring-controller",
  "garbage-collector-controller": "generic-garbage-collector",
  "horizontal-pod-autoscaler-controller": "horizontal-pod-autoscaler",
  "node-lifecycle-controller": "node-controller",
  "persistentvolume-binder-controller": "persistent-volume-binder",
  "persistentvolumeclaim-protection-controller": "pvc-protection-controller",
  "persistentvolume-protection-controller": "pv-protection-controller",
  "pod-garbage-collector-controller": "pod-garbage-collector",
  "replicationcontroller-controller": "replication-controller",
  "root-ca-certificate-publisher-controller": "root-ca-cert-publisher",
  "serviceaccount-controller": "service-account-controller",
  "taint-eviction-controller": "node-controller",
};

/** Most controllers and their accounts have one name. Undefined for what the manager does as itself. */
export function accountOf(controller: string): string | undefined {
  return controller === "serviceaccount-token-controller" ? undefined : (accounts[controller] ?? controller);
}

/** Makes the accounts that are missing. Nothing depends on them: roles name them, and users look for them. */
export async function createAccounts(
  { client, log }: { readonly client: ApiClient; readonly log: Logger },
  controllers: Iterable<string>,
): Promise<void> {
  const names = new Set([...controllers].flatMap((controller) => accountOf(controller) ?? []));
  await Promise.all(
    [...names].map(async (name) => {
      try {
        await client.create(resources.serviceAccounts, { metadata: { namespace: "kube-system", name } });
      } catch (error) {
        if (!isAlreadyExists(error)) log.warn("cannot make the service account of a controller", { name, error });
      }
    }),
  );
}
