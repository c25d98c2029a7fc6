/**
 * What a test's commands cost the machine, told apart from what others do on it: a memory cgroup that they and all they
 * start are members of. What is left in it once they have ended is kernel memory and files in memory that nobody freed.
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface MemoryAccount {
  /** Put before a command to make it a member. */
  readonly enter: readonly string[];
  /** The processes that have not ended. */
  processes(): readonly string[];
  /** After all that can be dropped (caches) was dropped. */
  usedBytes(): number;
  /** From now on the kernel kills the member with the highest score rather than let them have more together. */
  limit(bytes: number): void;
  /** How many it has killed. */
  kills(): number;
  close(): void;
}

/** Version 1 of cgroups has a tree per controller, version 2 one for all. */
const versions = [
  {
    tree: "/sys/fs/cgroup/memory",
    used: "memory.usage_in_bytes",
    reclaim: ["memory.force_empty", "0"],
    limit: "memory.limit_in_bytes",
    events: "memory.oom_control",
  },
  {
    tree: "/sys/fs/cgroup",
    used: "memory.current",
    reclaim: ["memory.reclaim", "1G"],
    limit: "memory.max",
    events: "memory.events",
  },
] as const;

/** Undefined where no such group can be made: without root, or in a container. */
export function openMemoryAccount(): MemoryAccount | undefined {
  for (const { tree, used, reclaim, limit, events } of versions) {
    const group = join(tree, `netloom-test-${process.pid}`);
    try {
      mkdirSync(group);
    } catch {
      continue;
    }
    const [file, value] = reclaim;
    if (existsSync(join(group, used)) && existsSync(join(group, file))) {
      const read = (name: string): string => readFileSync(join(group, name), "utf8");
      return {
        enter: ["sh", "-c", `echo $$ > ${group}/cgroup.procs && exec "$@"`, "sh"],
        processes: () => read("cgroup.procs").split("\n").filter(Boolean),
        usedBytes: () => {
          try {
            writeFileSync(join(group, file), value);
          } catch {
            // Less was there than was asked for.
          }
          return Number(read(used));
        },
        limit: (bytes) => writeFileSync(join(group, limit), `${bytes}`),
        kills: () => Number(/^oom_kill (\d+)$/m.exec(read(events))?.[1]),
        close: () => rmdirSync(group),
      };
    }
    rmdirSync(group);
  }
  return undefined;
}
