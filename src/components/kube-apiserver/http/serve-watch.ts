/** Serves a watch request: sends the lines, bookmarks in between, and ends in time. */
import { randomInt } from "node:crypto";
import { forbiddenValue, unsupportedValue } from "../../../api/field-error.ts";
import type { FieldError } from "../../../api/field-error.ts";
import { invalid } from "../../../api/status.ts";
import { isTrue } from "../request-info.ts";
import { watchObjects } from "../resources/watch.ts";
import type { WatchedChange } from "../resources/watch.ts";
import { statusOf, writeHead } from "./exchange.ts";
import type { HttpResponse } from "./exchange.ts";
import { representationOf } from "./negotiation.ts";
import { listRequestOf, numberOf } from "./query.ts";
import type { OpenWatch, ResourceCall } from "./resource-call.ts";
import { bookmarkLine, errorLine, lineWriterOf } from "./watch-response.ts";

/** A watcher that reads this far behind is cut off: it lists anew, and nobody waits for it. */
const backlogLimitBytes = 8 * 1024 * 1024;
/** As upstream: a watch without a time-out lives between half an hour and an hour. */
const shortestWatchSeconds = 1800;

export async function serveWatch(call: ResourceCall): Promise<void> {
  const { request, response, info, resource, clock, watches } = call;
  const form = representationOf(request.headers.accept, info.query);
  const allowsBookmarks = isPresentAndTrue(info.query, "allowWatchBookmarks");
  const sendsInitialEvents = initialEventsOf(info.query);
  const seconds = timeoutSecondsOf(info.query);
  const ended = new AbortController();
  const end = (): void => ended.abort();
  response.on("close", end);
  response.on("error", end);

  const lines: Buffer[] = [];
  let isOpen = false;
  let backlogLimit = backlogLimitBytes;
  const write = (line: Buffer): void => {
    if (!isOpen) {
      lines.push(line);
      return;
    }
    if (ended.signal.aborted) return;
    if (backlogOf(response) > backlogLimit) {
      response.destroy();
      end();
      return;
    }
    (response as NodeJS.WritableStream).write(line);
  };
  const lineOf = lineWriterOf(resource, form);
  // Columns are named once, where there are any.
  let isFirst = form.form === "table";
  const send = (change: WatchedChange): void => {
    write(lineOf(change, isFirst));
    isFirst = false;
  };

  // A watch from a forgotten past is answered with 410 itself: nothing was sent yet.
  const watch = watchObjects(
    resource,
    { ...listRequestOf(info), ...(sendsInitialEvents === undefined ? {} : { sendsInitialEvents }) },
    send,
  );
  if (sendsInitialEvents === true && allowsBookmarks && watch.initialRevision !== undefined) {
    write(bookmarkLine(resource, watch.initialRevision, { form, endsInitialEvents: true }));
  }
  writeHead(response, 200, headersOf(request.httpVersionMajor));
  isOpen = true;
  if (lines.length > 0) {
    const state = Buffer.concat(lines);
    // Nobody is slow because there was much to begin with.
    backlogLimit += state.length;
    write(state);
  } else (response as { flushHeaders?(): void }).flushHeaders?.();

  const { store } = resource.environment;
  const open: OpenWatch = {
    info,
    resource,
    bookmark: () => {
      if (allowsBookmarks) write(bookmarkLine(resource, store.revision, { form, endsInitialEvents: false }));
    },
    end,
  };
  watches.add(open);
  try {
    await clock.sleep(seconds * 1000, ended.signal);
    open.bookmark();
  } catch (error) {
    if (!ended.signal.aborted) write(errorLine(statusOf(error)));
  } finally {
    watches.delete(open);
    watch.stop();
    response.end();
  }
}

function headersOf(httpVersionMajor: number): Record<string, string> {
  return {
    "cache-control": "no-cache, private",
    "content-type": "application/json",
    ...(httpVersionMajor === 1 ? { "transfer-encoding": "chunked" } : {}),
  };
}

function backlogOf(response: HttpResponse): number {
  return (response as { readonly writableLength?: number }).writableLength ?? 0;
}

function isPresentAndTrue(query: URLSearchParams, name: string): boolean {
  return query.has(name) && isTrue(query.get(name));
}

function timeoutSecondsOf(query: URLSearchParams): number {
  const text = query.get("timeoutSeconds");
  const seconds = text === null || text === "" ? 0 : numberOf(text);
  return seconds > 0 ? seconds : shortestWatchSeconds + randomInt(shortestWatchSeconds);
}

/** Throws `ApiError` 422 for the combinations that upstream forbids. */
function initialEventsOf(query: URLSearchParams): boolean | undefined {
  const mistakes: FieldError[] = [];
  const forbid = (why: string): void => void mistakes.push(forbiddenValue("resourceVersionMatch", why));
  const match = query.get("resourceVersionMatch") ?? "";
  const sendsState = query.has("sendInitialEvents");
  // Who names no version is sent the state, and with it comes the match.
  const startsWithState = ["", "0"].includes(query.get("resourceVersion") ?? "");
  if (sendsState && match !== "NotOlderThan") {
    forbid("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
  }
  if (match !== "" && !sendsState) {
    forbid("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
  }
  if (match !== "" && match !== "NotOlderThan") {
    mistakes.push(unsupportedValue("resourceVersionMatch", match, ["NotOlderThan"]));
  }
  if ((query.get("continue") ?? "") !== "" && (match !== "" || startsWithState)) {
    forbid("resourceVersionMatch is forbidden when continue is provided");
  }
  if (mistakes.length > 0) throw invalid({ group: "meta.k8s.io", name: "ListOptions" }, "", mistakes);
  return sendsState ? isTrue(query.get("sendInitialEvents")) : undefined;
}
