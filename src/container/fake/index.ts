export { createFakeContainerRuntime, type FakeContainerRuntime } from "./fake-runtime.ts";
export type { FakeProcess, FakeProgram } from "./programs.ts";
