/** Removes CertificateSigningRequests that have served their purpose. */
import { X509Certificate } from "node:crypto";
import type { CertificateSigningRequest } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";
import { resources } from "../../api/resources.ts";
import { requestEndMs } from "../../model/certificates/index.ts";
import { whereItStillIs } from "./answers.ts";
import type { CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";
import { ownKey } from "./keys.ts";

export const createCertificateCleaner: CreateController = (context) => {
  const { client, clock, informers } = context;
  const { certificateRequests } = informers;
  const reconciler = reconcilerOf(context, {
    name: "certificatesigningrequest-cleaner",
    waitFor: [certificateRequests],
    reconcile: async (key) => {
      const request = certificateRequests.store.get(key);
      const endMs = request === undefined ? undefined : requestEndMs(request, expiryOf(request));
      if (request === undefined || endMs === undefined) return undefined;
      const remainingMs = endMs - clock.now();
      if (remainingMs >= 0) return { requeueAfterMs: remainingMs + 1 };
      await whereItStillIs(client.delete(resources.certificateSigningRequests, keyOf(request)));
      return undefined;
    },
  });
  reconciler.on(certificateRequests, ownKey);
  return reconciler;
};

/** The end of the certificate, in milliseconds since the epoch; undefined where there is none that can be read. */
function expiryOf({ status }: CertificateSigningRequest): number | undefined {
  if ((status?.certificate ?? "") === "") return undefined;
  try {
    return Date.parse(new X509Certificate(Buffer.from(status?.certificate ?? "", "base64")).validTo);
  } catch {
    // Other signers may write what they like.
    return undefined;
  }
}
