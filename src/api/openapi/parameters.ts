/** Query and path parameters of each action. */
import type { Action } from "./operations.ts";

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query";
  readonly type: "string" | "integer" | "boolean";
  readonly description: string;
}

function query(name: string, description: string, type: Parameter["type"] = "string"): Parameter {
  return { name, in: "query", type, description };
}

const pretty = query("pretty", "If 'true', the answer is indented.");
const write: readonly Parameter[] = [
  query("dryRun", "'All' lets every step happen but the storing."),
  query("fieldManager", "Who makes the change."),
  query("fieldValidation", "What to do about unknown and repeated fields: Ignore, Warn or Strict."),
];
const selection: readonly Parameter[] = [
  query("continue", "The token of the page before."),
  query("fieldSelector", "Restricts the objects by their fields."),
  query("labelSelector", "Restricts the objects by their labels."),
  query("limit", "The largest number of objects of one answer.", "integer"),
  query("resourceVersion", "The state that the answer must show."),
  query("resourceVersionMatch", "How resourceVersion is meant."),
  query("sendInitialEvents", "A watch begins with all objects there are.", "boolean"),
  query("timeoutSeconds", "The longest time that the request may take.", "integer"),
];
const deletion: readonly Parameter[] = [
  query("dryRun", "'All' lets every step happen but the storing."),
  query("gracePeriodSeconds", "The time that the object gets to end by itself.", "integer"),
  query("orphanDependents", "Replaced by propagationPolicy.", "boolean"),
  query("propagationPolicy", "What becomes of the objects that it owns: Orphan, Background or Foreground."),
];

const byAction: Readonly<Record<Action, readonly Parameter[]>> = {
  get: [],
  list: [
    query("allowWatchBookmarks", "A watch may send bookmarks.", "boolean"),
    ...selection,
    query("watch", "The answer is a stream of changes.", "boolean"),
  ],
  post: write,
  put: write,
  patch: [...write, query("force", "Takes fields from other managers, for server-side apply.", "boolean")],
  delete: deletion,
  deletecollection: [...selection, ...deletion],
  connect: [],
};

const pathParameters: Readonly<Record<string, Parameter>> = {
  namespace: { name: "namespace", in: "path", type: "string", description: "The object's namespace." },
  name: { name: "name", in: "path", type: "string", description: "The object's name." },
};

export function queryParametersOf(action: Action): readonly Parameter[] {
  return action === "connect" ? [] : [...byAction[action], pretty];
}

/** Those in braces. */
export function pathParametersOf(path: string): readonly Parameter[] {
  return [...path.matchAll(/\{(\w+)\}/g)].flatMap(([, name = ""]) => pathParameters[name] ?? []);
}
