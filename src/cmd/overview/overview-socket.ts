import { once } from "node:events";
import { chmodSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { Component } from "../../machinery/component.ts";
import type { Logger } from "../../machinery/log.ts";
import { type OverviewAnswer, type OverviewQuestion, type OverviewRefusal, parseQuestion } from "./answers.ts";

interface OverviewSocketOptions {
  /** A socket that a former process left there is replaced. Its owner's alone, as the administrator's kubeconfig is. */
  readonly path: string;
  /** Undefined: that is another process's to know. */
  readonly answer: (question: OverviewQuestion) => Promise<OverviewAnswer | undefined>;
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

async function converse(socket: Socket, { answer }: OverviewSocketOptions): Promise<void> {
  let received = 0;
  // A client that went away is no error of the process's.
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    received += chunk.length;
    if (received > lineLimitBytes) socket.destroy();
  });
  for await (const line of createInterface({ input: socket })) {
    const question = parseQuestion(line);
    const answered = question === undefined ? undefined : await answer(question);
    const refusal: OverviewRefusal = { error: question === undefined ? "not a question" : "not known here" };
    socket.end(`${JSON.stringify(answered ?? refusal)}\n`);
    return;
  }
}
