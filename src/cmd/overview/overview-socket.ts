import { once } from "node:events";
import { chmodSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { resources } from "../../api/resources.ts";
import type { ApiClient } from "../../client/index.ts";
import type { Component } from "../../machinery/component.ts";
import type { Logger } from "../../machinery/log.ts";
import type { NodeList } from "../../machinery/node-list.ts";
import { describeNodes, describePorts, type OverviewAnswers, type OverviewQuestion, parseQuestion } from "./answers.ts";

interface OverviewSocketOptions {
  /** A socket that a former server left there is replaced. Its owner's alone, as the administrator's kubeconfig is. */
  readonly path: string;
  /** The administrator's. */
  readonly client: ApiClient;
  readonly nodes: NodeList;
  readonly log: Logger;
}

/** Longest question: anything longer is not one of ours. */
const lineLimitBytes = 4096;

export function createOverviewSocket(options: OverviewSocketOptions): Component {
  const { path, log } = options;
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => undefined);
  return {
    name: "overview-socket",
    ready: ready.promise,
    run: async (signal) => {
      rmSync(path, { force: true });
      const open = new Set<Socket>();
      const server = createServer((socket) => {
        open.add(socket);
        socket.once("close", () => open.delete(socket));
        converse(socket, options).catch((error: unknown) => {
          log.warn("cannot answer a command's question", { error });
          socket.destroy();
        });
      });
      server.listen(path);
      await once(server, "listening");
      chmodSync(path, 0o600);
      ready.resolve();
      if (!signal.aborted) await once(signal, "abort");
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

async function converse(socket: Socket, options: OverviewSocketOptions): Promise<void> {
  let received = 0;
  // A client that went away is no error of the server's.
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    received += chunk.length;
    if (received > lineLimitBytes) socket.destroy();
  });
  for await (const line of createInterface({ input: socket })) {
    const question = parseQuestion(line);
    const answer = question === undefined ? { error: "not a question" } : await answerTo(question, options);
    socket.end(`${JSON.stringify(answer)}\n`);
    return;
  }
}

async function answerTo(
  question: OverviewQuestion,
  { client, nodes }: OverviewSocketOptions,
): Promise<OverviewAnswers[keyof OverviewAnswers]> {
  if (question.about === "nodes") {
    const [known, pods] = await Promise.all([client.list(resources.nodes), client.list(resources.pods)]);
    return describeNodes(known.items, pods.items);
  }
  const { namespace } = question;
  const services = await client.list(resources.services, namespace === undefined ? {} : { namespace });
  return describePorts(services.items, nodes.current);
}
