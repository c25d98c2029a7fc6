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
