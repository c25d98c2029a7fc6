/** Fills Secrets of the type `kubernetes.io/service-account-token`, and removes those whose account has gone. */
import { resources } from "../../api/resources.ts";
import type { Secret, ServiceAccount } from "../../api/generated/types.ts";
import type { Informer } from "../../machinery/informer/index.ts";
import { whereItStillIs } from "./answers.ts";
import type { ControllerContext, CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";
import { ownKey, parseKey, textOf } from "./keys.ts";

const type = "kubernetes.io/service-account-token";
const nameAnnotation = "kubernetes.io/service-account.name";
const uidAnnotation = "kubernetes.io/service-account.uid";

export const createServiceAccountTokenController: CreateController = (context) => {
  const { client, informers } = context;
  const { serviceAccounts } = informers;
  const secrets: Informer<Secret, "owner"> | undefined = informers.byResource.get(resources.secrets.plural);
  const reconciler = reconcilerOf(context, {
    name: "serviceaccount-token",
    waitFor: [serviceAccounts, ...(secrets === undefined ? [] : [secrets])],
    reconcile: async (key) => {
      const secret = secrets?.store.get(key);
      if (secret?.type !== type || secret.metadata?.deletionTimestamp !== undefined) return;
      const { namespace = "", annotations = {} } = secret.metadata ?? {};
      const account = serviceAccounts.store.get(`${namespace}/${annotations[nameAnnotation] ?? ""}`);
      const uid = annotations[uidAnnotation];
      if (account === undefined || (uid !== undefined && uid !== "" && uid !== account.metadata?.uid)) {
        await removeOf(context, secret);
        return;
      }
      const filled = fill(context, secret, account);
      if (filled === undefined) return;
      const write = client.update(resources.secrets, filled);
      if (await whereItStillIs(write)) secrets?.observe(await write);
    },
  });
  if (secrets !== undefined) {
    reconciler.on(secrets, ownKey);
    reconciler.on(serviceAccounts, ({ key }) => {
      const { namespace, name } = parseKey(key);
      return secrets.store
        .list()
        .filter((secret) => secret.type === type && secret.metadata?.namespace === namespace)
        .filter(({ metadata }) => metadata?.annotations?.[nameAnnotation] === name)
        .map(textOf);
    });
  }
  return reconciler;
};

/** The cache may be behind: only an account that the API does not have is gone. */
async function removeOf({ client }: ControllerContext, { metadata }: Secret): Promise<void> {
  const { namespace = "", name = "", uid, annotations } = metadata ?? {};
  const account = { namespace, name: annotations?.[nameAnnotation] ?? "" };
  const wanted = annotations?.[uidAnnotation] ?? "";
  const { items } = await client.list(resources.serviceAccounts, {
    namespace,
    fieldSelector: `metadata.name=${account.name}`,
  });
  if (items.some((one) => wanted === "" || one.metadata?.uid === wanted)) return;
  const preconditions = uid === undefined ? {} : { preconditions: { uid } };
  await whereItStillIs(client.delete(resources.secrets, { namespace, name }, preconditions));
}

/** The secret with all it should hold; undefined where it does. */
function fill({ rootCa, signToken }: ControllerContext, secret: Secret, account: ServiceAccount): Secret | undefined {
  const { namespace = "", name = "", annotations = {} } = secret.metadata ?? {};
  const { name: accountName = "", uid = "" } = account.metadata ?? {};
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const fixed = { "ca.crt": base64(rootCa), namespace: base64(namespace) };
  const token = secret.data?.["token"];
  const isWhole =
    token !== undefined &&
    annotations[uidAnnotation] === uid &&
    Object.entries(fixed).every(([key, value]) => secret.data?.[key] === value);
  if (isWhole || signToken === undefined) return undefined;
  const prefix = "kubernetes.io/serviceaccount";
  const claims = {
    iss: "kubernetes/serviceaccount",
    [`${prefix}/namespace`]: namespace,
    [`${prefix}/secret.name`]: name,
    [`${prefix}/service-account.name`]: accountName,
    [`${prefix}/service-account.uid`]: uid,
    sub: `system:serviceaccount:${namespace}:${accountName}`,
  };
  return {
    ...secret,
    metadata: { ...secret.metadata, annotations: { ...annotations, [uidAnnotation]: uid } },
    data: { ...secret.data, ...fixed, token: token ?? base64(signToken(claims)) },
  };
}
