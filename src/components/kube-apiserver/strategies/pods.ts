/** Pods are given time to stop while a node runs them. */
import type { Pod } from "../../../api/generated/types.ts";
import type { Strategy } from "./strategy.ts";

const defaultGraceSeconds = 30;

export const podStrategy: Strategy = {
  returnsDeleted: true,
  gracePeriodSeconds: (object, options) => {
    const { spec, status } = object as Pod;
    const isRunningNowhere = (spec?.nodeName ?? "") === "";
    if (isRunningNowhere || status?.phase === "Succeeded" || status?.phase === "Failed") return 0;
    const seconds = options.gracePeriodSeconds ?? spec?.terminationGracePeriodSeconds ?? defaultGraceSeconds;
    // Upstream reads a negative number as "at once, but through the kubelet".
    return seconds < 0 ? 1 : seconds;
  },
};
