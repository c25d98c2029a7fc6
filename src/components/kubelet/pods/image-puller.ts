/** Gets a container's image by its pull policy, with upstream's events, and backs off from images that cannot be had. */
import type { Pod } from "../../../api/generated/types.ts";
import type { Image, ImageService } from "../../../container/runtime.ts";
import type { Clock } from "../../../machinery/clock.ts";
import { backOffEndMs, raiseBackOff } from "../../../model/pod-lifecycle/index.ts";
import type { BackOff } from "../../../model/pod-lifecycle/index.ts";
import type { PodEvents } from "../events.ts";
import type { AnyContainer } from "./find-container.ts";
import { StartError } from "./start-error.ts";

export interface ImagePuller {
  /** Rejects with `StartError` (ErrImagePull, then ImagePullBackOff, InvalidImageName, ErrImageNeverPull). */
  ensure(pod: Pod, container: AnyContainer): Promise<Image>;
  /** Forgets the pod's back-offs. */
  forget(uid: string): void;
}

export function createImagePuller(options: {
  readonly images: ImageService;
  readonly clock: Clock;
  readonly events: PodEvents;
}): ImagePuller {
  const { images, clock, events } = options;
  const backOffs = new Map<string, Map<string, BackOff>>();

  async function pull(pod: Pod, container: AnyContainer, name: string): Promise<Image> {
    const startedAtMs = clock.now();
    events.normal(pod, container.name, "Pulling", `Pulling image "${name}"`);
    const image = await images.pull(name, { onlyIfPresent: false, never: false });
    const took = durationText(clock.now() - startedAtMs);
    events.normal(
      pod,
      container.name,
      "Pulled",
      `Successfully pulled image "${name}" in ${took} (${took} including waiting). Image size: ${image.sizeBytes} bytes.`,
    );
    return image;
  }

  return {
    forget: (uid) => void backOffs.delete(uid),
    ensure: async (pod, container) => {
      const name = container.image ?? "";
      const policy = container.imagePullPolicy ?? "IfNotPresent";
      const ofPod = backOffs.get(pod.metadata?.uid ?? "") ?? new Map<string, BackOff>();
      backOffs.set(pod.metadata?.uid ?? "", ofPod);
      try {
        if (policy !== "Always") {
          const present = await presentImage(images, name, policy === "Never");
          if (present !== undefined) {
            const text = `Container image "${name}" already present on machine and can be accessed by the pod`;
            events.normal(pod, container.name, "Pulled", text);
            return warned(pod, container, present);
          }
        }
        const image = await pull(pod, container, name);
        ofPod.delete(name);
        return warned(pod, container, image);
      } catch (error) {
        throw failed(pod, container, error, ofPod);
      }
    },
  };

  function warned(pod: Pod, container: AnyContainer, image: Image): Image {
    for (const warning of image.warnings) events.warning(pod, container.name, "ImageStandsIn", warning);
    return image;
  }

  function failed(pod: Pod, container: AnyContainer, error: unknown, ofPod: Map<string, BackOff>): StartError {
    const name = container.image ?? "";
    const reason = reasonOf(error);
    const message = error instanceof Error ? error.message : String(error);
    const nowMs = clock.now();
    const backOff = raiseBackOff(ofPod.get(name), { nowMs, eventMs: nowMs });
    ofPod.set(name, backOff);
    const retryAtMs = backOffEndMs(backOff, { eventMs: nowMs, nowMs });
    if (reason === "ErrImageNeverPull") {
      events.warning(pod, container.name, "ErrImageNeverPull", message);
      events.warning(pod, container.name, "Failed", `Error: ${reason}`);
      return new StartError(reason, message, { retryAtMs, cause: error });
    }
    if (reason === "InvalidImageName") {
      events.warning(pod, container.name, "InspectFailed", message);
      events.warning(pod, container.name, "Failed", `Error: ${reason}`);
      return new StartError(reason, message, { retryAtMs, cause: error });
    }
    events.warning(pod, container.name, "Failed", `Failed to pull image "${name}": ${message}`);
    events.warning(pod, container.name, "Failed", "Error: ErrImagePull");
    const later = { reason: "ImagePullBackOff", message: `Back-off pulling image "${name}": ErrImagePull: ${message}` };
    return new StartError("ErrImagePull", message, { later, retryAtMs, cause: error });
  }
}

async function presentImage(images: ImageService, name: string, isRequired: boolean): Promise<Image | undefined> {
  try {
    return await images.pull(name, { onlyIfPresent: true, never: true });
  } catch (error) {
    if (!isRequired && reasonOf(error) === "ErrImageNeverPull") return undefined;
    throw error;
  }
}

function reasonOf(error: unknown): string {
  const reason = error instanceof Error && "reason" in error ? error.reason : undefined;
  return typeof reason === "string" ? reason : "ErrImagePull";
}

/** As Go prints it: "3ms", "1.204s". */
function durationText(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)}ms` : `${Number((ms / 1000).toFixed(3))}s`;
}
