/** The controllers beside a test server, each with the rights that it has in a cluster. */
import { builtinResources } from "../../src/api/builtin.ts";
import { serviceAccountUser } from "../../src/components/kube-apiserver/index.ts";
import { createControllerManager } from "../../src/components/kube-controller-manager/index.ts";
import { systemClock as clock } from "../../src/machinery/clock.ts";
import { silentLogger as log } from "../../src/machinery/log.ts";
import { createTokenSigner } from "../../src/machinery/pki/index.ts";
import type { TestServer } from "./api-server.ts";

/** Ready when it resolves; the returned function ends them. */
export async function startControllers({
  server,
  pki,
}: Pick<TestServer, "server" | "pki">): Promise<() => Promise<void>> {
  const stop = new AbortController();
  const manager = createControllerManager({
    client: server.client({ name: "system:kube-controller-manager", groups: ["system:authenticated"] }),
    clientFor: (account) => server.client(serviceAccountUser("kube-system", account)),
    clock,
    log,
    rootCa: pki.caCertificate,
    signCertificate: (body) => pki.sign(body),
    signToken: (claims) => createTokenSigner(pki.serviceAccountKey.privateKey).sign(claims),
    deletableResources: builtinResources()
      .definitions.filter(({ verbs }) => verbs.includes("delete") && verbs.includes("watch"))
      .map(({ group, version, plural, kind, isNamespaced }) => ({ group, version, plural, kind, isNamespaced })),
  });
  const running = manager.run(stop.signal);
  await Promise.race([manager.ready, running]);
  return async () => {
    stop.abort();
    await running;
  };
}
