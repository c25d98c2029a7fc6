import assert from "node:assert/strict";
import { ApiError } from "../../src/api/status.ts";

/** What the API answers to a call that it must refuse. */
export async function refusalOf(call: Promise<unknown>): Promise<ApiError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  return assert.fail("it was not refused");
}

export async function messageOf(call: Promise<unknown>): Promise<string> {
  return (await refusalOf(call)).message;
}
