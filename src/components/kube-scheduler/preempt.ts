/** Makes less important pods go. */
import { keyOf } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import { ApiError } from "../../api/status.ts";
import type { Pod } from "../../api/generated/types.ts";
import type { ApiClient } from "../../client/index.ts";
import type { Clock } from "../../machinery/clock.ts";
import { referenceTo } from "../../machinery/events/index.ts";
import type { EventRecorder } from "../../machinery/events/index.ts";
import { timeText } from "../../model/workload/index.ts";

/** Marks and deletes the victims, with their grace periods. One that is gone already is no error. */
export async function preempt(
  {
    client,
    clock,
    schedulerName = "default-scheduler",
  }: { readonly client: ApiClient; readonly clock: Clock; readonly schedulerName?: string },
  recorder: EventRecorder,
  { pod, node, victims }: { readonly pod: Pod; readonly node: string; readonly victims: readonly Pod[] },
): Promise<void> {
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "PreemptionByScheduler",
    message: `${schedulerName}: preempting to accommodate a higher priority pod`,
    lastTransitionTime: timeText(clock.now()),
  };
  await Promise.all(
    victims.map(async (victim) => {
      const { uid } = victim.metadata ?? {};
      if (victim.metadata?.deletionTimestamp !== undefined) return;
      try {
        const body = { metadata: { uid }, status: { conditions: [condition] } };
        await client.patch(resources.pods, keyOf(victim), { type: "strategic", body }, { subresource: "status" });
        await client.delete(resources.pods, keyOf(victim), uid === undefined ? {} : { preconditions: { uid } });
      } catch (error) {
        if (error instanceof ApiError && (error.code === 404 || error.code === 409)) return;
        throw error;
      }
      const message = `Preempted by pod ${pod.metadata?.uid ?? ""} on node ${node}`;
      recorder.event(referenceTo(resources.pods, victim), { type: "Normal", reason: "Preempted", message });
    }),
  );
}
