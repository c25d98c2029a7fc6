/** Who asks, as authentication found out. */
export interface User {
  readonly name: string;
  readonly groups: readonly string[];
  readonly uid?: string;
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export const everyKnownGroup = "system:authenticated";
export const everyUnknownGroup = "system:unauthenticated";
export const anonymous: User = { name: "system:anonymous", groups: [everyUnknownGroup] };

/** For what the server does by itself. */
export const loopbackUser: User = { name: "system:apiserver", groups: ["system:masters", everyKnownGroup] };

/** Everyone who proved who they are is in this group too. */
export function authenticated(user: User): User {
  return user.groups.includes(everyKnownGroup) ? user : { ...user, groups: [...user.groups, everyKnownGroup] };
}

const nodePrefix = "system:node:";

/** The node that the user is, by upstream's convention of name and group; undefined for everyone else. */
export function nodeOf({ name, groups }: User): string | undefined {
  if (!name.startsWith(nodePrefix) || !groups.includes("system:nodes")) return undefined;
  return name.slice(nodePrefix.length);
}

const accountPrefix = "system:serviceaccount:";

/** The groups of a service account's user; undefined for everyone else. */
export function serviceAccountOf(name: string): { readonly namespace: string; readonly name: string } | undefined {
  if (!name.startsWith(accountPrefix)) return undefined;
  const [namespace = "", account = "", ...more] = name.slice(accountPrefix.length).split(":");
  return namespace === "" || account === "" || more.length > 0 ? undefined : { namespace, name: account };
}

/** The user that a service account is. */
export function serviceAccountUser(namespace: string, name: string): User {
  return {
    name: `${accountPrefix}${namespace}:${name}`,
    groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, everyKnownGroup],
  };
}
