/** kubectl against a test server: no cluster, no network but loopback. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestServer } from "../../contract/api-server.ts";

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface KubectlBench {
  /** A folder for what the test writes. */
  readonly scratch: string;
  kubectl(path: string, args: readonly string[], input?: string): Promise<Result>;
  close(): Promise<void>;
}

/** A server with an administrator's kubeconfig. */
export async function startKubectlBench(): Promise<KubectlBench> {
  const started = await startTestServer();
  const scratch = mkdtempSync(join(tmpdir(), "netloom-kubectl-"));
  const kubeconfig = join(scratch, "kubeconfig");
  writeFileSync(kubeconfig, started.kubeconfig);
  const kubectl = (path: string, args: readonly string[], input = ""): Promise<Result> =>
    new Promise((resolve, reject) => {
      const child = spawn(path, args, { env: { ...process.env, KUBECONFIG: kubeconfig, HOME: scratch } });
      let stdout = "";
      let stderr = "";
      child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
      child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
      child.on("error", reject);
      child.on("close", (code) => resolve({ code: code ?? -1, stdout, stderr }));
      child.stdin.end(input);
    });
  return {
    scratch,
    kubectl,
    close: async () => {
      await started.close();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}
