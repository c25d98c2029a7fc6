/** CertificateSigningRequests: grants what nodes ask for themselves, and signs what was granted. */
import { resources, reviews } from "../../api/resources.ts";
import type { CertificateSigningRequest, SubjectAccessReview } from "../../api/generated/types.ts";
import { parseCertificationRequest } from "../../machinery/pki/index.ts";
import type { CertificationRequest } from "../../machinery/pki/index.ts";
import { certificateSeconds, isOwnSigner, kubeletClientSigner, signerProblem } from "../../model/certificates/index.ts";
import { whereItStillIs } from "./answers.ts";
import type { ControllerContext, CreateController } from "./context.ts";
import { reconcilerOf } from "./context.ts";
import { ownKey } from "./keys.ts";

type Status = NonNullable<CertificateSigningRequest["status"]>;
type Condition = NonNullable<Status["conditions"]>[number];

function conditionOf({ status }: CertificateSigningRequest, type: string): Condition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

function withCondition(
  { clock }: ControllerContext,
  { status }: CertificateSigningRequest,
  condition: Pick<Condition, "type" | "reason" | "message">,
): Status {
  const time = `${new Date(clock.now()).toISOString().slice(0, 19)}Z`;
  const added = { ...condition, status: "True", lastUpdateTime: time, lastTransitionTime: time };
  return { ...status, conditions: [...(status?.conditions ?? []), added] };
}

async function write(
  { client, informers }: ControllerContext,
  subresource: "approval" | "status",
  next: CertificateSigningRequest,
): Promise<void> {
  const written = client.update(resources.certificateSigningRequests, next, { subresource });
  if (await whereItStillIs(written)) informers.certificateRequests.observe(await written);
}

export const createApprovingController: CreateController = (context) => {
  const { client, informers } = context;
  const { certificateRequests } = informers;

  const may = async ({ spec }: CertificateSigningRequest, subresource: string): Promise<boolean> => {
    const { username = "", uid, groups, extra } = spec;
    const review: SubjectAccessReview = {
      spec: {
        user: username,
        ...(uid === undefined ? {} : { uid }),
        ...(groups === undefined ? {} : { groups }),
        ...(extra === undefined ? {} : { extra }),
        resourceAttributes: {
          group: "certificates.k8s.io",
          resource: "certificatesigningrequests",
          verb: "create",
          subresource,
          version: "*",
        },
      },
    };
    return (await client.create(reviews.subjectAccessReviews, review)).status?.allowed === true;
  };

  const reconciler = reconcilerOf(context, {
    name: "certificatesigningrequest-approving",
    waitFor: [certificateRequests],
    reconcile: async (key) => {
      const request = certificateRequests.store.get(key);
      if (request === undefined || isDecided(request) || request.spec.signerName !== kubeletClientSigner) return;
      const requested = parseCertificationRequest(request.spec.request);
      const usages = request.spec.usages ?? [];
      if (requested === undefined) return;
      if (signerProblem(kubeletClientSigner, { requested, usages }) !== undefined) return;
      const isOwn = request.spec.username === requested.commonName;
      const isGranted = (isOwn && (await may(request, "selfnodeclient"))) || (await may(request, "nodeclient"));
      if (!isGranted) return;
      const status = withCondition(context, request, {
        type: "Approved",
        reason: "AutoApproved",
        message: `Auto approving ${isOwn ? "self " : ""}kubelet client certificate after SubjectAccessReview.`,
      });
      await write(context, "approval", { ...request, status });
    },
  });
  reconciler.on(certificateRequests, ownKey);
  return reconciler;
};

export const createSigningController: CreateController = (context) => {
  const { informers, signCertificate } = context;
  const { certificateRequests } = informers;
  const reconciler = reconcilerOf(context, {
    name: "certificatesigningrequest-signing",
    waitFor: [certificateRequests],
    reconcile: async (key) => {
      const request = certificateRequests.store.get(key);
      if (request === undefined || signCertificate === undefined || !isOwnSigner(request.spec.signerName)) return;
      const isDue = conditionOf(request, "Approved") !== undefined && conditionOf(request, "Denied") === undefined;
      if (!isDue || conditionOf(request, "Failed") !== undefined) return;
      if ((request.status?.certificate ?? "") !== "") return;
      const requested = parseCertificationRequest(request.spec.request);
      const message =
        requested === undefined
          ? "unable to parse csr"
          : signerProblem(request.spec.signerName, { requested, usages: request.spec.usages ?? [] });
      if (requested === undefined || message !== undefined) {
        const failed = { type: "Failed", reason: "SignerValidationFailure", message: message ?? "" };
        await write(context, "status", { ...request, status: withCondition(context, request, failed) });
        return;
      }
      const certificate = signCertificate(bodyOf(context, request, requested));
      const status = { ...request.status, certificate: Buffer.from(certificate).toString("base64") };
      await write(context, "status", { ...request, status });
    },
  });
  reconciler.on(certificateRequests, ownKey);
  return reconciler;
};

function bodyOf(
  { clock }: ControllerContext,
  { spec }: CertificateSigningRequest,
  { commonName, organizations, dnsNames, ipAddresses, publicKey }: CertificationRequest,
): Parameters<NonNullable<ControllerContext["signCertificate"]>>[0] {
  return {
    commonName,
    organizations,
    dnsNames,
    ipAddresses,
    publicKey,
    usages: spec.usages ?? [],
    notAfter: clock.now() + certificateSeconds(spec.expirationSeconds) * 1000,
  };
}

function isDecided(request: CertificateSigningRequest): boolean {
  return conditionOf(request, "Approved") !== undefined || conditionOf(request, "Denied") !== undefined;
}
