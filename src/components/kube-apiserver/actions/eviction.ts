/** `eviction`: a deletion that disruption budgets may refuse. */
import type { Eviction } from "../../../api/generated/types.ts";
import { badRequest } from "../../../api/status.ts";
import { checkDeleteOptions, deleteObject } from "../resources/delete.ts";
import { done } from "./action.ts";
import type { Action } from "./action.ts";

export const evictionAction: Action = {
  create: async ({ resource, key, context }, body) => {
    const { metadata, deleteOptions = {} } = body as Eviction;
    const name = metadata?.name ?? "";
    if (name !== "" && name !== key.name) throw badRequest("name in URL does not match name in Eviction object");
    checkDeleteOptions(deleteOptions);
    await deleteObject(resource, { key, options: deleteOptions, context });
    return done();
  },
};
