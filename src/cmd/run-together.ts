/** Runs the components of one process: when one cannot go on, all end and the process with them. */
import type { Component } from "../machinery/component.ts";

/** Resolves when all have ended after `signal`; rejects with the first failure after the others have ended. */
export async function runTogether(components: readonly Component[], signal: AbortSignal): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const results = await Promise.allSettled(
    components.map(async (component) => {
      try {
        await component.run(either);
      } catch (error) {
        failed.abort(error);
        throw new Error(`${component.name} cannot go on: ${(error as Error).message}`, { cause: error });
      }
    }),
  );
  for (const result of results) if (result.status === "rejected") throw result.reason as Error;
}
