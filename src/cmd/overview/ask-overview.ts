import { connect } from "node:net";
import { once } from "node:events";
import { type ClusterConfig, clusterPaths } from "../../model/cluster-config.ts";
import type { OverviewAnswers, OverviewQuestion, OverviewRefusal } from "./answers.ts";

/** The process does not answer: it starts again, or it is stuck. */
export class OverviewError extends Error {
  readonly code = "ProcessUnreachable";
}

/** `netloom status` is also what one asks when something is wrong. */
const timeoutMs = 3000;

/** Asks `server`, or an `agent-1`. Rejects with `OverviewError` where there is no answer within three seconds. */
export async function askOverview<About extends OverviewQuestion["about"]>(
  config: Pick<ClusterConfig, "stateDir" | "runDir">,
  process: string,
  question: OverviewQuestion & { readonly about: About },
): Promise<OverviewAnswers[About]> {
  const socket = connect({ path: clusterPaths(config).overviewSocket(process) });
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
  try {
    await once(socket, "connect");
    socket.write(`${JSON.stringify(question)}\n`);
    await once(socket, "end");
    const answer = JSON.parse(Buffer.concat(chunks).toString()) as OverviewAnswers[About] | OverviewRefusal;
    if ("error" in answer) throw new Error(answer.error);
    return answer;
  } catch (error) {
    throw new OverviewError(
      `Cannot ask the cluster's ${process} for its ${question.about}: ${(error as Error).message}; see "netloom status" and "netloom logs ${process}"`,
      { cause: error },
    );
  } finally {
    socket.destroy();
  }
}
