import { isJsonEqual } from "../../lib/equal/index.ts";
import { invalidValue, requiredValue } from "../field-error.ts";
import type { CertificateSigningRequest } from "../generated/types.ts";
import { ageColumn, ageOf, column, durationText, nameColumn, nameOf } from "../registry/columns.ts";
import { defineResource } from "../registry/define.ts";
import { immutable } from "../registry/metadata.ts";
import { missingFields } from "../registry/required.ts";
import { resources } from "../resources.ts";

function conditionText({ status }: CertificateSigningRequest): string {
  const has = (type: string): boolean => (status?.conditions ?? []).some((condition) => condition.type === type);
  const verdict = has("Denied") ? "Denied" : has("Approved") ? "Approved" : "Pending";
  const failed = has("Failed") ? ",Failed" : "";
  return `${verdict}${failed}${status?.certificate ? ",Issued" : ""}`;
}

function isVerdict(type: string): boolean {
  return type === "Approved" || type === "Denied";
}

export const certificateSigningRequests = defineResource(resources.certificateSigningRequests, {
  shortNames: ["csr"],
  nameRule: "path",
  hasStatus: true,
  alsoWriteStatus: ["approval"],
  subresources: {
    approval: { style: "object", verbs: ["get", "patch", "update"], kind: "CertificateSigningRequest" },
  },
  columns: [
    nameColumn,
    ageColumn,
    column("SignerName", "Who is asked to sign."),
    column("Requestor", "Who asks."),
    column("RequestedDuration", "How long the certificate is to be valid."),
    column("Condition", "Whether the request was granted."),
  ],
  cells(object, now) {
    const { signerName, username, expirationSeconds } = object.spec;
    const duration = expirationSeconds === undefined ? "<none>" : durationText(expirationSeconds * 1000);
    return [nameOf(object), ageOf(object, now), signerName, username ?? "", duration, conditionText(object)];
  },
  // Asked of an empty object, too, for the names of the fields.
  fields: (request) => ({
    "spec.signerName": (request as Partial<CertificateSigningRequest>).spec?.signerName ?? "",
  }),
  defaults({ spec }) {
    if (spec && (spec.usages ?? []).length === 0) spec.usages = ["digital signature", "key encipherment"];
  },
  onUpdate(draft, { old, subresource }) {
    // Who may approve may not sign, and who signs may not approve.
    if (subresource === "approval") {
      const { certificate: _given, ...rest } = draft.status ?? {};
      const certificate = old.status?.certificate;
      draft.status = { ...rest, ...(certificate === undefined ? {} : { certificate }) };
    }
    if (subresource === "status") {
      const others = (draft.status?.conditions ?? []).filter(({ type }) => !isVerdict(type));
      const verdicts = (old.status?.conditions ?? []).filter(({ type }) => isVerdict(type));
      draft.status = { ...draft.status, conditions: [...verdicts.map((verdict) => ({ ...verdict })), ...others] };
    }
  },
  validate: (object) => [
    ...missingFields("CertificateSigningRequest", object),
    ...(object.spec.signerName === "" || object.spec.signerName?.includes("/")
      ? []
      : [
          requiredValue(
            "spec.signerName",
            "must be a fully qualified domain and path of the form 'example.com/signer-name'",
          ),
        ]),
  ],
  validateUpdate: ({ spec }, { old }) => (isJsonEqual(spec, old.spec) ? [] : [invalidValue("spec", spec, immutable)]),
});
