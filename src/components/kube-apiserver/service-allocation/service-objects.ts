/**
 * The objects that show which addresses Services may have, and which are taken: after the server serves, since nothing
 * waits for them.
 */
import type { ServiceCIDR } from "../../../api/generated/types.ts";
import { resources } from "../../../api/resources.ts";
import { ApiError } from "../../../api/status.ts";
import type { ApiClient } from "../../../client/index.ts";
import type { Clock } from "../../../machinery/clock.ts";
import type { Logger } from "../../../machinery/log.ts";
import type { ObjectStore } from "../../../storage/index.ts";
import { timestampOf } from "../resources/create.ts";
import { keepIpAddresses } from "./ip-addresses.ts";

const retryMs = 5000;

/** Runs until the signal aborts. */
export async function keepServiceObjects(
  options: {
    readonly store: ObjectStore;
    readonly client: ApiClient;
    readonly clock: Clock;
    readonly log: Logger;
    readonly serviceCidrs: readonly string[];
  },
  signal: AbortSignal,
): Promise<void> {
  const { client, clock, log, serviceCidrs } = options;
  for (let isMade = false; !isMade && !signal.aborted;) {
    try {
      await ensureServiceCidr(client, serviceCidrs, timestampOf(clock.now()));
      isMade = true;
    } catch (error) {
      log.warn("cannot make the ServiceCIDR, trying again", { error });
      await clock.sleep(retryMs, signal).catch(() => undefined);
    }
  }
  await keepIpAddresses(options, signal);
}

/** The range of the cluster's Services, ready as it is made; upstream's name, words and guard against deletion. */
async function ensureServiceCidr(client: ApiClient, cidrs: readonly string[], now: string): Promise<void> {
  const metadata = { name: "kubernetes", finalizers: ["networking.k8s.io/service-cidr-finalizer"] };
  try {
    await client.create<ServiceCIDR>(resources.serviceCidrs, { metadata, spec: { cidrs } });
  } catch (error) {
    if (!(error instanceof ApiError && error.reason === "AlreadyExists")) throw error;
  }
  // A server before this one may have ended between the two writes.
  const made = await client.get(resources.serviceCidrs, { name: metadata.name });
  if ((made.status?.conditions ?? []).length > 0) return;
  const message = "Kubernetes default Service CIDR is ready";
  const ready = { type: "Ready", status: "True", reason: "", message, lastTransitionTime: now };
  await client.update(resources.serviceCidrs, { ...made, status: { conditions: [ready] } }, { subresource: "status" });
}
