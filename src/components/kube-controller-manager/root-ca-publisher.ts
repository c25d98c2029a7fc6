/** Every namespace has the ConfigMap `kube-root-ca.crt`, by which pods know the API server. */
import { resources } from "../../api/resources.ts";
import type { ConfigMap } from "../../api/generated/types.ts";
import { isAlreadyExists, isNamespaceTerminating } from "./answers.ts";
import type { CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";
import { ownKey, versions } from "./keys.ts";

const name = "kube-root-ca.crt";
const description =
  "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

export const createRootCaPublisher: CreateController = (context) => {
  const { client, informers, rootCa } = context;
  const { namespaces, configMaps } = informers;
  const data = { "ca.crt": rootCa };
  const annotations = { "kubernetes.io/description": description };
  const reconciler = reconcilerOf(context, {
    name: "root-ca-certificate-publisher",
    waitFor: [namespaces, configMaps],
    reconcile: async (namespace) => {
      const present = namespaces.store.get(namespace);
      if (present === undefined || present.metadata?.deletionTimestamp !== undefined) return;
      const known = configMaps.store.get(`${namespace}/${name}`);
      const wanted: ConfigMap = { metadata: { namespace, name, annotations }, data };
      try {
        if (known === undefined) configMaps.observe(await client.create(resources.configMaps, wanted));
        else if (known.data?.["ca.crt"] !== rootCa || Object.keys(known.data).length !== 1) {
          const metadata = { ...known.metadata, annotations: { ...known.metadata?.annotations, ...annotations } };
          configMaps.observe(await client.update(resources.configMaps, { ...known, metadata, data }));
        }
      } catch (error) {
        if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) throw error;
      }
    },
  });
  reconciler.on(namespaces, ownKey);
  reconciler.on(configMaps, (change) =>
    versions(change)
      .filter(({ metadata }) => metadata?.name === name)
      .map(({ metadata }) => metadata?.namespace ?? ""),
  );
  return reconciler;
};
