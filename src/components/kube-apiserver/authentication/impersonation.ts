/** Acting as somebody else: `kubectl --as`. Every part of the other identity needs the right to impersonate it. */
import { internalError } from "../../../api/status.ts";
import { authorize } from "../authorization/index.ts";
import type { Authorizer } from "../authorization/index.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { anonymous, everyKnownGroup, everyUnknownGroup, serviceAccountOf } from "../user.ts";
import type { User } from "../user.ts";

const authentication = "authentication.k8s.io";
const extraPrefix = "impersonate-extra-";

interface Wanted {
  readonly user: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** The user whose rights count from here on. Throws `ApiError`: 403 where `user` may not, 500 for headers without a user. */
export function impersonate(authorizer: Authorizer, user: User, request: Pick<HttpRequest, "rawHeaders">): User {
  const wanted = wantedIdentity(request.rawHeaders);
  if (wanted === undefined) return user;
  if (wanted.user === "") {
    const asked = [...wanted.groups, wanted.uid, ...Object.keys(wanted.extra)].filter((part) => part !== "");
    throw internalError(`requested ${JSON.stringify(asked)} without impersonating a user`);
  }
  const account = serviceAccountOf(wanted.user);
  const need = (
    resource: string,
    name: string,
    place: { group?: string; namespace?: string; subresource?: string } = {},
  ) => {
    const { group = "", namespace = "", subresource = "" } = place;
    authorize(authorizer, user, { verb: "impersonate", resource: { group, resource, subresource, namespace, name } });
  };
  if (account === undefined) need("users", wanted.user);
  else need("serviceaccounts", account.name, { namespace: account.namespace });
  for (const group of wanted.groups) need("groups", group);
  if (wanted.uid !== "") need("uids", wanted.uid, { group: authentication });
  for (const [key, values] of Object.entries(wanted.extra)) {
    for (const value of values) need("userextras", value, { group: authentication, subresource: key });
  }
  return {
    name: wanted.user,
    groups: groupsOf(wanted, account?.namespace),
    ...(wanted.uid === "" ? {} : { uid: wanted.uid }),
    ...(Object.keys(wanted.extra).length === 0 ? {} : { extra: wanted.extra }),
  };
}

function groupsOf({ user, groups }: Wanted, accountNamespace: string | undefined): readonly string[] {
  const own =
    accountNamespace !== undefined && groups.length === 0
      ? ["system:serviceaccounts", `system:serviceaccounts:${accountNamespace}`]
      : groups;
  if (own.includes(everyKnownGroup) || own.includes(everyUnknownGroup)) return own;
  return [...own, user === anonymous.name ? everyUnknownGroup : everyKnownGroup];
}

/** Undefined where no such header came. Raw, because groups come as several headers and may hold commas. */
function wantedIdentity(rawHeaders: readonly string[]): Wanted | undefined {
  let isAsked = false;
  let user = "";
  let uid = "";
  const groups: string[] = [];
  const extra = new Map<string, string[]>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? "").toLowerCase();
    const value = rawHeaders[at + 1] ?? "";
    if (!name.startsWith("impersonate-")) continue;
    if (name === "impersonate-user") user = value;
    else if (name === "impersonate-uid") uid = value;
    else if (name === "impersonate-group") groups.push(value);
    else if (name.startsWith(extraPrefix)) {
      const key = keyOf(name.slice(extraPrefix.length));
      extra.set(key, [...(extra.get(key) ?? []), value]);
    } else continue;
    isAsked = true;
  }
  return isAsked ? { user, uid, groups, extra: Object.fromEntries(extra) } : undefined;
}

/** Headers hold few characters, so keys are percent-encoded. */
function keyOf(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
