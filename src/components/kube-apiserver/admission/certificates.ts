/** Who may ask for which certificates, who may grant them, and who may sign. */
import type { CertificateSigningRequest } from "../../../api/generated/types.ts";
import { quoted } from "../../../api/go-text.ts";
import { badRequest, forbidden } from "../../../api/status.ts";
import { isJsonEqual } from "../../../lib/equal/index.ts";
import { parseCertificationRequest } from "../../../machinery/pki/index.ts";
import type { Authorizer } from "../authorization/index.ts";
import type { User } from "../user.ts";
import { superuserGroup } from "../authorization/index.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./admission.ts";

const group = "certificates.k8s.io";
const plural = "certificatesigningrequests";
const clientSigner = "kubernetes.io/kube-apiserver-client";

/** May the user do it for this signer, or for all signers of its domain? */
function mayFor(authorizer: Authorizer, user: User, verb: string, signerName: string): boolean {
  const domain = `${signerName.split("/")[0] ?? ""}/*`;
  return [signerName, domain].some(
    (name) =>
      authorizer.decide(user, {
        verb,
        resource: { group, resource: "signers", subresource: "", namespace: "", name },
      }).isAllowed,
  );
}

function isRequest({ definition }: AdmissionRequest): boolean {
  return definition.group === group && definition.plural === plural;
}

export function certificateApproval(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: "CertificateApproval",
    validate: (request) => {
      if (!isRequest(request) || request.subresource !== "approval" || request.operation !== "UPDATE") return;
      const { signerName } = (request.old as CertificateSigningRequest).spec;
      if (mayFor(authorizer, request.user, "approve", signerName)) return;
      const why = `user not permitted to approve requests with signerName ${quoted(signerName)}`;
      throw forbidden({ group, name: plural }, request.name, why);
    },
  };
}

export function certificateSigning(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: "CertificateSigning",
    validate: (request) => {
      if (!isRequest(request) || request.subresource !== "status" || request.operation !== "UPDATE") return;
      const old = request.old as CertificateSigningRequest;
      const next = request.object as CertificateSigningRequest;
      const failed = (status: CertificateSigningRequest["status"]): unknown =>
        (status?.conditions ?? []).filter(({ type }) => type === "Failed");
      const isSame =
        old.status?.certificate === next.status?.certificate && isJsonEqual(failed(old.status), failed(next.status));
      if (isSame || mayFor(authorizer, request.user, "sign", old.spec.signerName)) return;
      const why = `user not permitted to sign requests with signerName ${quoted(old.spec.signerName)}`;
      throw forbidden({ group, name: plural }, request.name, why);
    },
  };
}

/** A certificate of a superuser could never be taken back. */
export const certificateSubjectRestriction: AdmissionPlugin = {
  name: "CertificateSubjectRestriction",
  // Who asks is what the server knows, not what the request says.
  mutate: (request, object) => {
    if (!isRequest(request) || request.subresource !== "" || request.operation !== "CREATE") return object;
    const { user } = request;
    const {
      username: _name,
      uid: _uid,
      groups: _groups,
      extra: _extra,
      ...spec
    } = (object as CertificateSigningRequest).spec;
    const requester = {
      username: user.name,
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      groups: user.groups,
      ...(user.extra === undefined ? {} : { extra: user.extra }),
    };
    return Object.assign({}, object, { spec: { ...spec, ...requester } });
  },
  validate: (request) => {
    if (!isRequest(request) || request.subresource !== "" || request.operation !== "CREATE") return;
    const { spec } = request.object as CertificateSigningRequest;
    const parsed = parseCertificationRequest(spec.request);
    if (parsed === undefined) {
      throw badRequest(`unable to parse csr: PEM block type must be CERTIFICATE REQUEST`);
    }
    if (spec.signerName !== clientSigner || !parsed.organizations.includes(superuserGroup)) return;
    const why = `use of ${clientSigner} signer with ${superuserGroup} group is not allowed`;
    throw forbidden({ group, name: plural }, request.name, why);
  },
};
