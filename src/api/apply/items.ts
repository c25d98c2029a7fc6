/** Items of lists that are merged: by which path element each is known. */
import { own } from "../../lib/own/index.ts";
import { keyElement, valueElement } from "./path-element.ts";
import type { Shape } from "./shape.ts";

export type ListShape = Extract<Shape, { readonly kind: "set" | "keyed" }>;

export type JsonMap = Readonly<Record<string, unknown>>;

export function isMap(value: unknown): value is JsonMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The item's path element; undefined where it lacks a key. */
export function elementOf(shape: ListShape, item: unknown): string | undefined {
  if (shape.kind === "set") return valueElement(item);
  if (!isMap(item)) return undefined;
  const keys: [string, unknown][] = [];
  for (const key of shape.keys) {
    const value = own(item, key);
    const counted = value ?? own(shape.defaults, key);
    if (counted !== undefined) keys.push([key, counted]);
  }
  // An optional key may be missing, but something has to tell the items apart.
  return keys.length === 0 ? undefined : keyElement(keys);
}

/** The items by their path elements, in their order. Items that cannot be told apart lie under one element. */
export function itemsOf(shape: ListShape, list: unknown): ReadonlyMap<string, readonly unknown[]> {
  const items = new Map<string, unknown[]>();
  for (const item of Array.isArray(list) ? list : []) {
    const element = elementOf(shape, item) ?? "";
    const same = items.get(element);
    if (same === undefined) items.set(element, [item]);
    else same.push(item);
  }
  return items;
}
