/** Who asks, as authentication found out. */
export interface User {
  readonly name: string;
  readonly groups: readonly string[];
  readonly uid?: string;
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export const anonymous: User = { name: "system:anonymous", groups: ["system:unauthenticated"] };

/** For what the server does by itself. */
export const loopbackUser: User = { name: "system:apiserver", groups: ["system:masters", "system:authenticated"] };

/** Everyone who proved who they are is in this group too. */
export function authenticated(user: User): User {
  const group = "system:authenticated";
  return user.groups.includes(group) ? user : { ...user, groups: [...user.groups, group] };
}

/** The namespace and name in `system:serviceaccount:<namespace>:<name>`; undefined for other users. */
export function serviceAccountOf(user: User): { readonly namespace: string; readonly name: string } | undefined {
  const [system, kind, namespace, name] = user.name.split(":");
  if (system !== "system" || kind !== "serviceaccount" || namespace === undefined || name === undefined)
    return undefined;
  return { namespace, name };
}
