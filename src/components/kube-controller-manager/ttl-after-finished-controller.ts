/** Deletes finished jobs whose time to live is over. */
import { keyOf } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import { timeToLiveMs } from "../../model/job/index.ts";
import { whereItStillIs } from "./answers.ts";
import type { CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";
import { ownKey } from "./keys.ts";

export const createTtlAfterFinishedController: CreateController = (context) => {
  const { client, clock, informers } = context;
  const { jobs } = informers;
  const reconciler = reconcilerOf(context, {
    name: "ttl-after-finished",
    waitFor: [jobs],
    reconcile: async (key) => {
      const job = jobs.store.get(key);
      if (job === undefined || job.metadata?.deletionTimestamp !== undefined) return undefined;
      const remaining = timeToLiveMs(job, clock.now());
      if (remaining === undefined) return undefined;
      if (remaining > 0) return { requeueAfterMs: remaining };
      const { uid, resourceVersion } = job.metadata ?? {};
      const preconditions = {
        ...(uid === undefined ? {} : { uid }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      };
      await whereItStillIs(
        client.delete(resources.jobs, keyOf(job), { propagationPolicy: "Foreground", preconditions }),
      );
      return undefined;
    },
  });
  reconciler.on(jobs, ownKey);
  return reconciler;
};
