/** Sockets of the agent process in the namespaces of its nodes and pods. */
import type { KubeletSockets } from "../components/kubelet/index.ts";
import {
  adoptConnectingSocket,
  bindTcpSocket,
  connectTcpSocket,
  openNetworkNamespace,
  type SocketAddress,
} from "../kernel/netns/index.ts";
import type { Clock } from "../machinery/clock.ts";

function inside<T>(netnsPath: string, work: () => T): T {
  const namespace = openNetworkNamespace(netnsPath);
  try {
    return namespace.run(work);
  } finally {
    namespace.close();
  }
}

export const agentSockets: KubeletSockets = {
  dial: async ({ netnsPath, address, port, signal }) =>
    await adoptConnectingSocket(
      inside(netnsPath, () => connectTcpSocket({ address, port })),
      signal,
    ),
  bind: ({ netnsPath, address, port }) => inside(netnsPath, () => bindTcpSocket({ address, port })),
};

/** Between attempts: the server starts at the same time as the agent, and every millisecond is part of the boot. */
const retryMs = 5;

/** Resolves when something accepts connections at the address, reached from this process's home namespace. */
export async function waitForListener(
  options: SocketAddress & { readonly signal: AbortSignal; readonly clock: Clock },
): Promise<void> {
  const { address, port, signal, clock } = options;
  for (;;) {
    try {
      const socket = await adoptConnectingSocket(connectTcpSocket({ address, port }), signal);
      socket.destroy();
      return;
    } catch (error) {
      if (signal.aborted) throw error;
      await clock.sleep(retryMs, signal);
    }
  }
}
