/**
 * Upstream's error answers. Each function builds the error that a request handler throws; the server writes its
 * `status` as the body and its `code` as the HTTP status. Messages are byte-equal to upstream's, because clients
 * (kubectl, operators, tests) print and match them.
 */
import { fieldErrorText } from "./field-error.ts";
import type { FieldError } from "./field-error.ts";
import type { Status, StatusCause, StatusDetails } from "./generated/types.ts";
import { quoted } from "./go-text.ts";

/** A resource or a kind with its group: `{ group: "apps", name: "deployments" }` or `{ group: "", name: "Service" }`. */
export interface GroupName {
  readonly group: string;
  readonly name: string;
}

/** An API request ended with an error `Status`. Thrown by the server's handlers and by the client alike. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: Status;
  constructor(status: Status, options?: ErrorOptions) {
    super(status.message ?? status.reason ?? "the server answered with an error", options);
    this.status = status;
  }

  /** The HTTP status code. */
  get code(): number {
    return this.status.code ?? 500;
  }

  /** "NotFound", "AlreadyExists", "Conflict", … */
  get reason(): string {
    return this.status.reason ?? "";
  }
}

interface Failure {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly details?: StatusDetails;
}

function failure({ code, reason, message, details }: Failure): ApiError {
  return new ApiError({
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason,
    ...(details === undefined ? {} : { details }),
    code,
  });
}

/** `pods`, `deployments.apps`; the same form for kinds: `Service`, `Deployment.apps`. */
function groupNameText({ group, name }: GroupName): string {
  return group === "" ? name : `${name}.${group}`;
}

function detailsOf(subject: GroupName, name?: string): StatusDetails {
  return {
    ...(name === undefined || name === "" ? {} : { name }),
    ...(subject.group === "" ? {} : { group: subject.group }),
    ...(subject.name === "" ? {} : { kind: subject.name }),
  };
}

/** 404: `pods "web" not found`. */
export function notFound(resource: GroupName, name: string): ApiError {
  return failure({
    code: 404,
    reason: "NotFound",
    message: `${groupNameText(resource)} ${quoted(name)} not found`,
    details: detailsOf(resource, name),
  });
}

/** 404 for a path that no resource serves. */
export function resourceNotServed(): ApiError {
  return failure({
    code: 404,
    reason: "NotFound",
    message: "the server could not find the requested resource",
    details: {},
  });
}

/** 409: `services "web" already exists`. */
export function alreadyExists(resource: GroupName, name: string): ApiError {
  return failure({
    code: 409,
    reason: "AlreadyExists",
    message: `${groupNameText(resource)} ${quoted(name)} already exists`,
    details: detailsOf(resource, name),
  });
}

/** 409 when every name made from `generateName` was taken. */
export function generateNameConflict(resource: GroupName, name: string, retryAfterSeconds: number): ApiError {
  const taken = `${groupNameText(resource)} ${quoted(name)} already exists`;
  return failure({
    code: 409,
    reason: "AlreadyExists",
    message: `${taken}, the server was not able to generate a unique name for the object`,
    details: { ...detailsOf(resource, name), retryAfterSeconds },
  });
}

const modifiedMessage = "the object has been modified; please apply your changes to the latest version and try again";

/** 409: the object changed in between, or a precondition does not hold; `why` says which. */
export function conflict(resource: GroupName, name: string, why: string = modifiedMessage): ApiError {
  return failure({
    code: 409,
    reason: "Conflict",
    message: `Operation cannot be fulfilled on ${groupNameText(resource)} ${quoted(name)}: ${why}`,
    details: detailsOf(resource, name),
  });
}

/** 422 with one cause per field: `Service "web" is invalid: spec.ports[0].port: Invalid value: …`. */
export function invalid(kind: GroupName, name: string, errors: readonly FieldError[]): ApiError {
  const texts = [...new Set(errors.map(fieldErrorText))];
  const all = texts.length === 1 ? (texts[0] ?? "") : `[${texts.join(", ")}]`;
  const subject = `${groupNameText(kind)} ${quoted(name)} is invalid`;
  return failure({
    code: 422,
    reason: "Invalid",
    message: texts.length === 0 ? subject : `${subject}: ${all}`,
    details: {
      ...detailsOf(kind, name),
      causes: errors.map((error) => ({ reason: error.type, message: error.body, field: error.field })),
    },
  });
}

/** 422: a patch is well formed but does not fit the object. */
export function invalidPatch(why: string): ApiError {
  return failure({
    code: 422,
    reason: "Invalid",
    message: "the server rejected our request due to an error in our request",
    details: { causes: [{ reason: "UnexpectedServerResponse", message: why }] },
  });
}

/** 400. */
export function badRequest(message: string): ApiError {
  return failure({ code: 400, reason: "BadRequest", message });
}

/** 401. */
export function unauthorized(message = "Unauthorized"): ApiError {
  return failure({ code: 401, reason: "Unauthorized", message });
}

/** 406 for a list of what is one object, or the other way round. */
export function notOfThatNumber(message: string): ApiError {
  return failure({ code: 406, reason: "NotAcceptable", message });
}

/** 403: `pods "web" is forbidden: <why>`, or `pods is forbidden: <why>` for a request without a name. */
export function forbidden(resource: GroupName, name: string, why: string): ApiError {
  let subject = "forbidden";
  if (resource.name !== "") {
    subject = `${groupNameText(resource)}${name === "" ? "" : ` ${quoted(name)}`} is forbidden`;
  }
  return failure({ code: 403, reason: "Forbidden", message: `${subject}: ${why}`, details: detailsOf(resource, name) });
}

/** 405 for a method that the path knows nothing of. */
export function methodNotAllowed(): ApiError {
  return failure({
    code: 405,
    reason: "MethodNotAllowed",
    message: "the server does not allow this method on the requested resource",
    details: {},
  });
}

/** 406: none of the client's `Accept` types is on offer, or `isKnown`: one is, but not with its parameters. */
export function notAcceptable(offered: readonly string[], isKnown: boolean): ApiError {
  const types = offered.join(", ");
  return failure(
    isKnown
      ? { code: 406, reason: "NotAcceptable", message: `only the following media types are accepted: ${types}` }
      : {
          code: 406,
          reason: "NotAcceptable",
          message: `406: Not Acceptable\n\nAvailable representations: ${types}`,
          details: {},
        },
  );
}

/** 415: the body's `Content-Type` cannot be read. */
export function unsupportedMediaType(accepted: readonly string[]): ApiError {
  return failure({
    code: 415,
    reason: "UnsupportedMediaType",
    message: `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`,
  });
}

/** 415 for a patch of a kind that the path does not take. */
export function mediaTypeUnsupported(): ApiError {
  return failure({
    code: 415,
    reason: "UnsupportedMediaType",
    message: "415: Unsupported Media Type",
    details: {},
  });
}

/** 410: a revision that history no longer holds; the client lists anew, or goes on with `token`. */
export function expired(message: string, token?: string): ApiError {
  const error = failure({ code: 410, reason: "Expired", message });
  return token === undefined ? error : new ApiError({ ...error.status, metadata: { continue: token } });
}

/** 413. */
export function requestEntityTooLarge(why: string): ApiError {
  return failure({ code: 413, reason: "RequestEntityTooLarge", message: `Request entity too large: ${why}` });
}

/** 429; `causes` carry a disruption budget's reason. */
export function tooManyRequests(
  message: string,
  retryAfterSeconds: number,
  causes: readonly StatusCause[] = [],
): ApiError {
  return failure({
    code: 429,
    reason: "TooManyRequests",
    message,
    details: {
      ...(causes.length === 0 ? {} : { causes }),
      ...(retryAfterSeconds === 0 ? {} : { retryAfterSeconds }),
    },
  });
}

/** 500: `Internal error occurred: <why>`. */
export function internalError(why: string, cause?: unknown): ApiError {
  const error = failure({
    code: 500,
    reason: "InternalError",
    message: `Internal error occurred: ${why}`,
    details: { causes: [{ message: why }] },
  });
  return cause === undefined ? error : new ApiError(error.status, { cause });
}

/** 503. */
export function serviceUnavailable(message: string): ApiError {
  return failure({ code: 503, reason: "ServiceUnavailable", message });
}

/** 504: `Timeout: <why>`. */
export function timedOut(why: string, retryAfterSeconds = 0): ApiError {
  return failure({
    code: 504,
    reason: "Timeout",
    message: `Timeout: ${why}`,
    details: retryAfterSeconds === 0 ? {} : { retryAfterSeconds },
  });
}

/** 504: the client has seen a state that this server has not reached. */
export function tooLargeVersion(wanted: number, current: number): ApiError {
  const error = timedOut(`Too large resource version: ${wanted}, current: ${current}`, 1);
  const causes = [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }];
  return new ApiError({ ...error.status, details: { causes, ...error.status.details } });
}

/** 200 of a deletion that left nothing behind. */
export function success(resource: GroupName, name: string, uid?: string): Status {
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: { ...detailsOf(resource, name), ...(uid === undefined ? {} : { uid }) },
  };
}
