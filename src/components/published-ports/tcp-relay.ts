import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { pipeline } from "node:stream";
import type { PublishedPort } from "./desired-ports.ts";
import type { ClusterDialer, Relay } from "./relay.ts";

/** Resolves when it listens; rejects when the address cannot be bound. */
export async function openTcpRelay(port: PublishedPort, dialer: ClusterDialer): Promise<Relay> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    open.add(client);
    client.once("close", () => open.delete(client));
    // It may reset the connection at any time, also before there is somebody to tell.
    client.on("error", () => client.destroy());
    void relay(client, port, dialer);
  });
  server.listen(port.listen);
  await once(server, "listening");
  return {
    close: () => {
      server.close();
      for (const client of open) client.destroy();
    },
  };
}

/** A refusal inside the cluster is a reset for the client, as it would be at the node itself. */
async function relay(client: Socket, port: PublishedPort, dialer: ClusterDialer): Promise<void> {
  try {
    const upstream = await dialer.connectTcp(port.target);
    // Nothing would end the other side of a client that is gone already.
    if (client.destroyed) {
      upstream.destroy();
      return;
    }
    pipeline(client, upstream, client, () => {
      upstream.destroy();
      client.destroy();
    });
  } catch {
    client.resetAndDestroy();
  }
}
