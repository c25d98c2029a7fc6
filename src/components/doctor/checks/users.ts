/** Who runs netloom, and which users its cluster can have. */
import type { Check } from "../check.ts";
import { fail, ok, warning } from "../finding.ts";
import type { Machine } from "../machine.ts";

const who: Check = {
  name: "rights",
  examine: ({ machine, isRootless }) => {
    if (!isRootless) return ok("root with all capabilities: the cluster needs no user namespace");
    return ok(
      machine.uid === 0
        ? "root without capabilities (a plain container): the cluster gets a user namespace"
        : `user ${machine.uid}: the cluster gets a user namespace`,
    );
  },
};

const userNamespaces: Check = {
  name: "user namespaces",
  examine: ({ machine, isRootless, trials, namespaceRemedy }) => {
    const most = machine.read("/proc/sys/user/max_user_namespaces") ?? "unknown";
    if (isRootless) {
      if ("refusal" in trials) return fail(trials.refusal, namespaceRemedy);
      return ok(`made in a trial; at most ${most} on this machine`);
    }
    return ok(`not needed by root; at most ${most} on this machine`);
  },
};

const apparmor: Check = {
  name: "AppArmor",
  examine: ({ machine, isRootless, trials }) => {
    if (machine.read("/sys/module/apparmor/parameters/enabled") !== "Y") return ok("not active");
    const isRestricted = machine.read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") === "1";
    if (!isRestricted) return ok("active, and does not restrict user namespaces");
    const profile = "docs/guides/root-and-rootless.md has a profile that allows them to netloom's Node alone";
    if (!isRootless) return ok("active; it restricts unprivileged user namespaces, which root does not need");
    if ("refusal" in trials) return fail("restricts unprivileged user namespaces", profile);
    return ok("restricts unprivileged user namespaces, and allows ours");
  },
};

const idMapping: Check = {
  name: "id mapping",
  examine: ({ machine, isRootless, trials }) => {
    if (!isRootless) return ok("not needed: as root every user of a container exists");
    const alone = "only root exists in containers; images that switch to another user fail at that";
    const programs = ["newuidmap", "newgidmap"].map((name) => machine.tool(name)?.path);
    if (programs.includes(undefined)) return warning(alone, "sudo apt-get install uidmap");
    const name = nameOf(machine);
    const [uids, gids] = ["/etc/subuid", "/etc/subgid"].map((file) =>
      idsOf(machine.read(file) ?? "", [name, `${machine.uid}`]),
    );
    const remedy = `sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${name ?? machine.uid}`;
    if (uids === 0 || gids === 0)
      return warning(`newuidmap is there, but this user has no ids to map; ${alone}`, remedy);
    const granted = `${uids} users and ${gids} groups of this user's own in /etc/subuid and /etc/subgid`;
    // Besides, unshare 2.38 and later waits for its helper for ever where the kernel refuses the namespace.
    if ("refusal" in trials) return ok(`${granted}; not tried without user namespaces`);
    const trial = machine.run("unshare", ["--user", "--map-root-user", "--map-auto", "true"]);
    if (trial.status !== 0) {
      return warning(
        `ids are granted, but unshare does not map them (${trial.output}); ${alone}`,
        "update util-linux to 2.38",
      );
    }
    return ok(granted);
  },
};

/** As newuidmap finds it; $USER may be another's, after "su" or "sudo -u". */
function nameOf(machine: Machine): string | undefined {
  const lines = (machine.read("/etc/passwd") ?? "").split("\n").map((line) => line.split(":"));
  return lines.find(([, , id]) => id === `${machine.uid}`)?.[0];
}

/** The sum of the ranges in a file of lines "owner:first:count". */
function idsOf(text: string, owners: readonly (string | undefined)[]): number {
  return text
    .split("\n")
    .map((line) => line.split(":"))
    .filter(([owner]) => owners.includes(owner))
    .reduce((sum, [, , count]) => sum + (Number(count) || 0), 0);
}

export const userChecks: readonly Check[] = [who, userNamespaces, apparmor, idMapping];
