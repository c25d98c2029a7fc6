/** A connection through a Service that is to live through whatever a test does. */
import assert from "node:assert/strict";
import { eventually } from "./eventually.ts";
import type { Lab } from "./lab.ts";

/** A pod and its Service at port 7000 which send back what they get. */
export const echoManifest = `
apiVersion: v1
kind: Pod
metadata: {name: echo, labels: {app: echo}}
spec:
  nodeName: node-2
  terminationGracePeriodSeconds: 1
  containers: [{name: echo, image: busybox, command: [nc, -ll, -p, "7000", -e, cat], readinessProbe: {tcpSocket: {port: 7000}, periodSeconds: 1}}]
---
apiVersion: v1
kind: Service
metadata: {name: echo}
spec: {selector: {app: echo}, ports: [{port: 7000}]}
`;

export interface Connection {
  close(): void;
  /** Resolves when all that was sent so far has come back over the one connection. */
  check(): Promise<void>;
  /** The same once more, and closes it; resolves with the number of characters sent. */
  finish(): Promise<number>;
}

/** A connection through a Service, from a node; each line is answered by itself. Resolves with the first answer. */
export async function openConnection(lab: Lab, address: string): Promise<Connection> {
  const child = lab.start(["exec", "node-1", "--", "busybox", "nc", address, "7000"]);
  const { stdin, stdout } = child;
  assert.ok(stdin !== null && stdout !== null);
  let received = "";
  let sent = "";
  let hasEnded = false;
  stdout.on("data", (chunk: Buffer) => (received += chunk.toString()));
  child.once("close", () => (hasEnded = true));
  const timer = setInterval(() => {
    const line = `${sent.length}\n`;
    sent += line;
    stdin.write(line);
  }, 50);
  stdin.on("error", () => undefined);
  await eventually(() => assert.ok(hasEnded || received !== ""));
  if (hasEnded) {
    clearInterval(timer);
    throw new Error("the connection was refused");
  }
  return {
    close(): void {
      clearInterval(timer);
      child.kill();
    },
    async check(): Promise<void> {
      const target = sent;
      await eventually(() => assert.ok(received.startsWith(target), "the answers have stopped"), { timeoutMs: 5000 });
      assert.equal(hasEnded, false, "the connection was closed");
    },
    async finish(): Promise<number> {
      clearInterval(timer);
      await eventually(() => assert.equal(received, sent), { timeoutMs: 5000 });
      assert.equal(hasEnded, false, "the connection was closed");
      stdin.end();
      child.kill();
      return sent.length;
    },
  };
}
