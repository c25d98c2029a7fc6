/**
 * Kernel tests run in mount and network namespaces of their own, so that whatever they leave ends with them. A test
 * file starts itself again in there: as root, and rootless in a user namespace; root tries both.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

type Mode = "root" | "rootless";

const variable = "NETLOOM_TEST_MODE";
const secondVariable = "NETLOOM_TEST_SECOND_MODE";
const nobody = "65534";

/** Whether the same tests have been run as root already: what is slow and does not depend on that need not be repeated. */
export const isSecondMode = process.env[secondVariable] === "1";

/**
 * Calls `tests` in the namespaces with the mode it is in; outside of them starts the file again and ends the process.
 * With `hasOwnProcesses` also in a PID namespace under tini, so that every process they start ends with them.
 * Use: `inNamespaces(import.meta.url, (mode) => { describe(…) })`.
 */
export function inNamespaces(
  fileUrl: string,
  tests: (mode: Mode) => void,
  { hasOwnProcesses = false }: { readonly hasOwnProcesses?: boolean } = {},
): void {
  const current = process.env[variable];
  if (current === "root" || current === "rootless") {
    tests(current);
    return;
  }
  const isRoot = process.getuid?.() === 0;
  const statuses = (isRoot ? (["root", "rootless"] as const) : (["rootless"] as const)).map((mode) =>
    runAgain(fileURLToPath(fileUrl), mode, { isRoot, hasOwnProcesses }),
  );
  process.exit(statuses.every((status) => status === 0) ? 0 : 1);
}

function runAgain(
  file: string,
  mode: Mode,
  { isRoot, hasOwnProcesses }: { readonly isRoot: boolean; readonly hasOwnProcesses: boolean },
): number | null {
  const unprivileged = ["setpriv", `--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups"];
  const command = [
    ...(mode === "rootless" && isRoot ? unprivileged : []),
    "unshare",
    ...(mode === "rootless" ? ["--user", "--map-root-user"] : []),
    "--mount",
    "--net",
    ...(hasOwnProcesses ? ["--pid", "--fork", "--kill-child", "--mount-proc", "tini", "--"] : []),
    process.execPath,
    ...process.execArgv,
    file,
  ];
  const [program = "", ...args] = command;
  const result = spawnSync(program, args, {
    stdio: "inherit",
    env: { ...process.env, [variable]: mode, [secondVariable]: isRoot && mode === "rootless" ? "1" : "" },
  });
  if (result.error !== undefined) throw result.error;
  return result.status;
}
