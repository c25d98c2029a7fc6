/** Objects that the server itself makes, and keeps as they should be. */
import { keyOf, keyText } from "../../api/object.ts";
import type { KubernetesObject, Resource } from "../../api/object.ts";
import { ApiError } from "../../api/status.ts";
import type { ApiClient, WriteOptions } from "../../client/index.ts";

interface Reconciled<T extends KubernetesObject> {
  readonly resource: Resource<T>;
  readonly expected: readonly T[];
  readonly options?: Pick<WriteOptions, "fieldManager">;
  readonly mend: (stored: T, expected: T) => T;
  /** Where the stored object cannot be mended, but has to go. */
  readonly isReplaced?: (stored: T, expected: T) => boolean;
}

/** What is missing is made, what differs is mended. All in one turn: one commit. */
export async function reconcile<T extends KubernetesObject>(
  client: ApiClient,
  { resource, expected, options = {}, mend, isReplaced }: Reconciled<T>,
): Promise<void> {
  const { items } = await client.list(resource);
  const stored = new Map(items.map((object) => [keyText(keyOf(object)), object]));
  await Promise.all(
    expected.map(async (object) => {
      const known = stored.get(keyText(keyOf(object)));
      if (known === undefined) return await client.create(resource, object, options);
      if (isReplaced?.(known, object) === true) {
        const { uid = "" } = known.metadata ?? {};
        await client.delete(resource, keyOf(known), { preconditions: { uid } });
        return await client.create(resource, object, options);
      }
      const mended = mend(known, object);
      if (mended === known) return known;
      try {
        return await client.update(resource, mended, options);
      } catch (error) {
        // What somebody else changes at this very moment is mended at the next time.
        if (error instanceof ApiError && error.reason === "Conflict") return known;
        throw error;
      }
    }),
  );
}
