/** Which subresources are actions. */
import type { ServiceAccountTokens } from "../authentication/service-account-tokens.ts";
import type { Action } from "./action.ts";
import { bindingAction } from "./binding.ts";
import { evictionAction } from "./eviction.ts";
import { scaleAction } from "./scale.ts";
import { tokenAction } from "./token.ts";

export type { Action, ActionCall, ActionResult } from "./action.ts";

/**
 * By resource and subresource ("pods/binding"), by subresource alone where every kind serves it alike ("scale"), and by resource
 * alone ("bindings/") where there are no objects but only something to do. */
export function createActions(
  tokens: ServiceAccountTokens,
): (plural: string, subresource: string) => Action | undefined {
  const actions: Readonly<Record<string, Action>> = {
    scale: scaleAction,
    "pods/binding": bindingAction,
    "bindings/": bindingAction,
    "pods/eviction": evictionAction,
    "serviceaccounts/token": tokenAction(tokens),
  };
  return (plural, subresource) => actions[`${plural}/${subresource}`] ?? actions[subresource];
}
