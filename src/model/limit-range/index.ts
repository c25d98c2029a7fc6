/** LimitRanges: what containers get that ask for nothing, and what may not be asked for. Pure. */
import type { LimitRange, LimitRangeItem, PersistentVolumeClaim, Pod } from "../../api/generated/types.ts";
import { compareQuantities, quantityText } from "../../lib/quantity/index.ts";
import { podQuantities, quantitiesOf } from "../pod-resources/index.ts";
import type { Quantities } from "../pod-resources/index.ts";

type Container = NonNullable<Pod["spec"]>["containers"][number];
type Texts = Readonly<Record<string, string>>;

const annotation = "kubernetes.io/limit-ranger";

/** The pod with what its containers do not say; the same object where they say all. */
export function withLimitDefaults(pod: Pod, range: LimitRange): Pod {
  const { spec } = pod;
  if (spec === undefined) return pod;
  const items = (range.spec?.limits ?? []).filter(({ type }) => type === "Container");
  const defaults = {
    requests: Object.assign({}, ...items.map(({ defaultRequest }) => defaultRequest)) as Texts,
    limits: Object.assign({}, ...items.map((item) => item.default)) as Texts,
  };
  const notes: string[] = [];
  const complete = (container: Container, kind: string): Container => {
    const requests = missing(defaults.requests, container.resources?.requests);
    const limits = missing(defaults.limits, container.resources?.limits);
    if (requests.length > 0) notes.push(`${names(requests)} request for ${kind} ${container.name}`);
    if (limits.length > 0) notes.push(`${names(limits)} limit for ${kind} ${container.name}`);
    if (requests.length + limits.length === 0) return container;
    return {
      ...container,
      resources: {
        ...container.resources,
        ...(limits.length === 0 ? {} : { limits: { ...Object.fromEntries(limits), ...container.resources?.limits } }),
        ...(requests.length === 0
          ? {}
          : { requests: { ...Object.fromEntries(requests), ...container.resources?.requests } }),
      },
    };
  };
  const containers = spec.containers.map((container) => complete(container, "container"));
  const initContainers = spec.initContainers?.map((container) => complete(container, "init container"));
  if (notes.length === 0) return pod;
  const annotations = { ...pod.metadata?.annotations, [annotation]: `LimitRanger plugin set: ${notes.join("; ")}` };
  return {
    ...pod,
    metadata: { ...pod.metadata, annotations },
    spec: { ...spec, containers, ...(initContainers === undefined ? {} : { initContainers }) },
  };
}

function missing(defaults: Texts, present: Texts = {}): readonly (readonly [string, string])[] {
  return Object.entries(defaults).filter(([name]) => present[name] === undefined);
}

function names(entries: readonly (readonly [string, string])[]): string {
  return entries
    .map(([name]) => name)
    .toSorted()
    .join(", ");
}

/** What the pod asks for against the range, in upstream's words; empty where it may. */
export function podLimitMistakes(pod: Pod, range: LimitRange): readonly string[] {
  const { containers = [], initContainers = [] } = pod.spec ?? {};
  return (range.spec?.limits ?? []).flatMap((item) => {
    if (item.type === "Pod") {
      return mistakesOf(item, { requests: podQuantities(pod, "requests"), limits: podQuantities(pod, "limits") });
    }
    if (item.type !== "Container") return [];
    return [...containers, ...initContainers].flatMap(({ resources }) =>
      mistakesOf(item, { requests: quantitiesOf(resources?.requests), limits: quantitiesOf(resources?.limits) }),
    );
  });
}

/** The same for a claim. */
export function claimLimitMistakes({ spec }: PersistentVolumeClaim, range: LimitRange): readonly string[] {
  const requests = quantitiesOf(spec?.resources?.requests);
  return (range.spec?.limits ?? [])
    .filter(({ type }) => type === "PersistentVolumeClaim")
    .flatMap((item) => [
      ...[...quantitiesOf(item.min)].flatMap(([name, bound]) =>
        tooLittle({ item, name, bound }, { requests, limits: new Map() }),
      ),
      ...[...quantitiesOf(item.max)].flatMap(([name, bound]) => {
        const text = `maximum ${name} usage per ${item.type} is ${quantityText(bound)}`;
        const request = requests.get(name);
        if (request === undefined) return [`${text}.  No request is specified`];
        return compareQuantities(request, bound) > 0 ? [`${text}, but request is ${quantityText(request)}`] : [];
      }),
    ]);
}

interface Asked {
  readonly requests: Quantities;
  readonly limits: Quantities;
}

interface Bound {
  readonly item: LimitRangeItem;
  readonly name: string;
  readonly bound: NonNullable<ReturnType<Quantities["get"]>>;
}

function mistakesOf(item: LimitRangeItem, asked: Asked): readonly string[] {
  const each = (bounds: Texts | undefined, check: (bound: Bound, given: Asked) => readonly string[]) =>
    [...quantitiesOf(bounds)]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([name, bound]) => check({ item, name, bound }, asked));
  return [...each(item.min, tooLittle), ...each(item.max, tooMuch), ...each(item.maxLimitRequestRatio, tooFarApart)];
}

function tooLittle({ item, name, bound }: Bound, { requests, limits }: Asked): readonly string[] {
  const text = `minimum ${name} usage per ${item.type} is ${quantityText(bound)}`;
  const request = requests.get(name);
  const limit = limits.get(name);
  if (request === undefined) return [`${text}.  No request is specified`];
  if (compareQuantities(request, bound) < 0) return [`${text}, but request is ${quantityText(request)}`];
  return limit !== undefined && compareQuantities(limit, bound) < 0
    ? [`${text}, but limit is ${quantityText(limit)}`]
    : [];
}

function tooMuch({ item, name, bound }: Bound, { requests, limits }: Asked): readonly string[] {
  const text = `maximum ${name} usage per ${item.type} is ${quantityText(bound)}`;
  const request = requests.get(name);
  const limit = limits.get(name);
  if (limit === undefined) return [`${text}.  No limit is specified`];
  if (compareQuantities(limit, bound) > 0) return [`${text}, but limit is ${quantityText(limit)}`];
  return request !== undefined && compareQuantities(request, bound) > 0
    ? [`${text}, but request is ${quantityText(request)}`]
    : [];
}

function tooFarApart({ item, name, bound }: Bound, { requests, limits }: Asked): readonly string[] {
  const text = `${name} max limit to request ratio per ${item.type} is ${quantityText(bound)}`;
  const request = requests.get(name)?.nano ?? 0n;
  const limit = limits.get(name)?.nano ?? 0n;
  if (request === 0n) return [`${text}, but no request is specified or request is 0`];
  if (limit === 0n) return [`${text}, but no limit is specified or limit is 0`];
  const isTooFar = limit * 1_000_000_000n > bound.nano * request;
  return isTooFar ? [`${text}, but provided ratio is ${(Number(limit) / Number(request)).toFixed(6)}`] : [];
}
