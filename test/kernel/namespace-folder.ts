/** The network namespaces whose files lie in a folder, as tests look into them and talk from one to another. */
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { NamespaceNetwork } from "../../src/kernel/namespace-network/index.ts";
import type { NetworkNamespace } from "../../src/kernel/network-namespace.ts";
import {
  adoptConnectingSocket,
  bindTcpSocket,
  connectTcpSocket,
  openNetworkNamespace,
  removeNetworkNamespace,
} from "../../src/kernel/netns/index.ts";
import type { NetworkState } from "../../src/model/network-state/index.ts";
import { patience } from "../patience.ts";

const port = 80;

type Owner = ConstructorParameters<typeof NamespaceNetwork>[1];

export interface NamespaceFolder {
  /** Open during `work`. */
  readonly withNamespace: <T>(name: string, work: (namespace: NetworkNamespace) => T) => T;
  /** Runs `work` in the namespace. */
  readonly inside: <T>(name: string, work: () => T) => T;
  /** Its links, addresses and routes, as `owner` (the folder's, unless said otherwise) sees and changes them. */
  readonly withNetwork: <T>(name: string, work: (network: NamespaceNetwork) => T, owner?: Owner) => T;
  readonly state: (name: string) => NetworkState;
  /** A server on port 80 of the namespace that tells each client the address it sees, or what `answer` makes of it. */
  readonly serve: (name: string, address: string, answer?: (remote: string) => string) => Promise<void>;
  /** Connects to port 80 of `address`. */
  readonly connect: (name: string, address: string) => Promise<Socket>;
  /** What the server there says. */
  readonly ask: (name: string, address: string) => Promise<string>;
  /** Ends the servers and removes the namespaces; the folder stays. */
  readonly close: () => void;
}

export function namespaceFolder(folder: string, folderOwner: Owner = "podNetwork"): NamespaceFolder {
  const servers: Server[] = [];
  const withNamespace: NamespaceFolder["withNamespace"] = (name, work) => {
    const namespace = openNetworkNamespace(`${folder}/${name}`);
    try {
      return work(namespace);
    } finally {
      namespace.close();
    }
  };
  const inside: NamespaceFolder["inside"] = (name, work) => withNamespace(name, (namespace) => namespace.run(work));
  const withNetwork: NamespaceFolder["withNetwork"] = (name, work, owner = folderOwner) =>
    withNamespace(name, (namespace) => {
      const network = new NamespaceNetwork(namespace, owner);
      try {
        return work(network);
      } finally {
        network.close();
      }
    });
  const connect: NamespaceFolder["connect"] = (name, address) =>
    adoptConnectingSocket(
      inside(name, () => connectTcpSocket({ address, port })),
      AbortSignal.timeout(5000 * patience),
    );
  return {
    withNamespace,
    inside,
    withNetwork,
    state: (name) => withNetwork(name, (network) => network.read({ sysctls: [] })),
    serve: async (name, address, answer = (remote) => remote) => {
      const server = createServer((socket) => socket.end(answer(socket.remoteAddress ?? "")));
      servers.push(server.listen({ fd: inside(name, () => bindTcpSocket({ address, port })) }));
      await once(server, "listening");
    },
    connect,
    ask: async (name, address) => text(await connect(name, address)),
    close: () => {
      for (const server of servers) server.close();
      for (const name of readdirSync(folder)) removeNetworkNamespace(`${folder}/${name}`);
    },
  };
}
