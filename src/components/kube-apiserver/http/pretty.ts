/** JSON over several lines, for people: browsers, curl and whoever asks for it. */
import type { IncomingHttpHeaders } from "node:http";
import { mediaRanges } from "./negotiation.ts";

/** What Go's `strconv.ParseBool` takes for true. */
const truths = new Set(["1", "t", "T", "true", "True", "TRUE"]);
const peoplesPrograms = /^(?:curl|Wget|Mozilla\/5\.0)/;

/** The part of a request that tells. */
interface Asking {
  readonly headers: IncomingHttpHeaders;
  readonly url?: string | undefined;
}

/** Does the client read JSON with its own eyes? By the query, the Accept header or the program's name, as upstream. */
export function wantsPretty({ headers, url = "" }: Asking): boolean {
  if (headers.accept?.includes("pretty") === true) {
    const [first] = mediaRanges(headers.accept);
    if (first?.parameters.get("pretty") === "1") return true;
  }
  if (url.includes("pretty")) {
    const asked = new URLSearchParams(url.slice(url.indexOf("?") + 1)).get("pretty") ?? "";
    if (asked !== "") return truths.has(asked);
  }
  return peoplesPrograms.test(headers["user-agent"] ?? "");
}

const step = "  ";

/** Indents a JSON text of one line. Numbers stay as they are written, however long. */
export function indentJson(text: string): string {
  let depth = 0;
  return text.trimEnd().replace(jsonParts, (part) => {
    switch (part) {
      case "{":
      case "[":
        depth++;
        return `${part}\n${step.repeat(depth)}`;
      case "}":
      case "]":
        depth--;
        return `\n${step.repeat(depth)}${part}`;
      case ",":
        return `,\n${step.repeat(depth)}`;
      case ":":
        return ": ";
      default:
        // A string, or an empty object or list.
        return part;
    }
  });
}

const jsonParts = /"[^"\\]*(?:\\.[^"\\]*)*"|\{\}|\[\]|[{}[\],:]/g;
