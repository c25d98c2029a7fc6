/** The commands with which netloom starts its own parts; not for users, so `--help` does not list them. */

const internal: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  holder: async (args) => (await import("./holder.ts")).holder(args),
  server: async (args) => (await import("./server.ts")).server(args),
  agent: async (args) => (await import("./agent.ts")).agent(args),
  "clean-up": async (args) => (await import("./clean-up.ts")).cleanUp(args),
  "cluster-dns": async (args) => (await import("./cluster-dns.ts")).clusterDns(args),
  "doctor-trial": async (args) => (await import("./doctor.ts")).doctorTrial(args),
  inspect: async (args) => (await import("./inspect.ts")).inspect(args),
  httpbin: async (args) => (await import("./httpbin.ts")).httpbin(args),
};

/** Runs an internal command; undefined where `command` is none. */
export function runInternal(command: string, args: readonly string[]): Promise<void> | undefined {
  return Object.hasOwn(internal, command) ? internal[command]?.(args) : undefined;
}
