/** Sets of field paths as trees: who owns what. Trees are never changed once made, so they share their branches. */

/** Keys of `children` are path elements as `fieldsV1` writes them: `f:spec`, `k:{"name":"web"}`, `v:"x"`, `i:0`. */
export interface FieldSet {
  /** The path up to here belongs to the set itself. */
  readonly isMember: boolean;
  readonly children: ReadonlyMap<string, FieldSet>;
}

const noChildren: ReadonlyMap<string, FieldSet> = new Map();

export const emptySet: FieldSet = { isMember: false, children: noChildren };
export const leafSet: FieldSet = { isMember: true, children: noChildren };

/** A node, shared where it is one of the two that all trees are full of. */
export function setOf(isMember: boolean, children: ReadonlyMap<string, FieldSet>): FieldSet {
  if (children.size === 0) return isMember ? leafSet : emptySet;
  return { isMember, children };
}

export function isEmptySet(set: FieldSet): boolean {
  return !set.isMember && set.children.size === 0;
}

export function union(left: FieldSet, right: FieldSet): FieldSet {
  if (left === right || isEmptySet(right)) return left;
  if (isEmptySet(left)) return right;
  const children = new Map(left.children);
  for (const [element, node] of right.children) {
    const known = children.get(element);
    children.set(element, known === undefined ? node : union(known, node));
  }
  return setOf(left.isMember || right.isMember, children);
}

/** Members of `left` that are no members of `right`. What lies below a member is a path of its own. */
export function difference(left: FieldSet, right: FieldSet): FieldSet {
  if (isEmptySet(right) || isEmptySet(left)) return left;
  let isChanged = left.isMember && right.isMember;
  const children = new Map<string, FieldSet>();
  for (const [element, node] of left.children) {
    const other = right.children.get(element);
    const rest = other === undefined ? node : difference(node, other);
    if (rest !== node) isChanged = true;
    if (!isEmptySet(rest)) children.set(element, rest);
  }
  return isChanged ? setOf(left.isMember && !right.isMember, children) : left;
}

export function intersection(left: FieldSet, right: FieldSet): FieldSet {
  if (left === right) return left;
  const children = new Map<string, FieldSet>();
  for (const [element, node] of left.children) {
    const other = right.children.get(element);
    const both = other === undefined ? emptySet : intersection(node, other);
    if (!isEmptySet(both)) children.set(element, both);
  }
  return setOf(left.isMember && right.isMember, children);
}

export function isSameSet(left: FieldSet, right: FieldSet): boolean {
  if (left === right) return true;
  if (left.isMember !== right.isMember || left.children.size !== right.children.size) return false;
  return [...left.children].every(([element, node]) => {
    const other = right.children.get(element);
    return other !== undefined && isSameSet(node, other);
  });
}

/** Every member, as its path elements, in the order in which upstream lists them: a node's own members first. */
export function pathsOf(set: FieldSet): readonly (readonly string[])[] {
  return set.isMember ? [[], ...pathsBelow(set)] : pathsBelow(set);
}

function pathsBelow({ children }: FieldSet): readonly (readonly string[])[] {
  const sorted = [...children].toSorted(byElement);
  const members = sorted.filter(([, node]) => node.isMember).map(([element]) => [element]);
  const deeper = sorted.flatMap(([element, node]) => pathsBelow(node).map((path) => [element, ...path]));
  return [...members, ...deeper];
}

export function byElement([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** A set of the given paths. */
export function setOfPaths(paths: Iterable<readonly string[]>): FieldSet {
  const builder = new FieldSetBuilder();
  for (const path of paths) builder.insert(path);
  return builder.build();
}

interface Draft {
  isMember: boolean;
  readonly children: Map<string, Draft>;
}

/** Collects paths one by one. */
export class FieldSetBuilder {
  private readonly root: Draft = { isMember: false, children: new Map() };

  insert(path: readonly string[]): void {
    let node = this.root;
    for (const element of path) {
      let next = node.children.get(element);
      if (next === undefined) {
        next = { isMember: false, children: new Map() };
        node.children.set(element, next);
      }
      node = next;
    }
    node.isMember = true;
  }

  /** The set so far; paths inserted later do not show in it only if none is. Build once, at the end. */
  build(): FieldSet {
    return this.root;
  }
}
