/** libnftables in this process: nft's language without a process per change. */
import koffi from "koffi";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { toolLibraryFolders } from "../../machinery/tools.ts";
import type { NetworkNamespace } from "../network-namespace.ts";
import { NftablesError } from "./nftables-error.ts";

/** A kept context: opening and closing one per change costs more than the change. */
export interface Nft {
  /** Runs commands as one transaction and returns what they print. Throws `NftablesError`; the kernel is then unchanged. */
  run(commands: string): string;
  close(): void;
}

type Context = object;

interface Library {
  readonly create: (flags: number) => Context | null;
  readonly free: (context: Context) => void;
  readonly bufferOutput: (context: Context) => number;
  readonly bufferErrors: (context: Context) => number;
  readonly outputOf: (context: Context) => string;
  readonly errorsOf: (context: Context) => string;
  readonly run: (context: Context, commands: string) => number;
}

const loaded = new Map<string, Library>();

/** `namespace`: where the rules live; the context stays bound to it. Throws `NftablesError` where the library is missing. */
export function openNft(options: { readonly namespace: NetworkNamespace; readonly toolsDir: string }): Nft {
  const library = loadLibrary(options.toolsDir);
  const { namespace } = options;
  const context = namespace.run(() => library.create(0));
  if (context === null) throw new NftablesError("open", "libnftables gave no context", "OpenFailed");
  library.bufferOutput(context);
  library.bufferErrors(context);
  let isOpen = true;
  return {
    run: (commands) => {
      if (!isOpen) throw new NftablesError("run commands", "the context was closed", "Closed");
      return namespace.run(() => runCommands(library, context, commands));
    },
    close: () => {
      if (isOpen) library.free(context);
      isOpen = false;
    },
  };
}

function runCommands(library: Library, context: Context, commands: string): string {
  // A child that ends interrupts libnftables' receive, maybe after the commit: no signals meanwhile.
  const failed = withoutSignals(() => library.run(context, commands));
  const output = library.outputOf(context);
  const errors = library.errorsOf(context);
  if (failed !== 0) throw new NftablesError("apply rules", firstErrors(errors), errorCode(errors));
  return output;
}

function firstErrors(errors: string): string {
  const lines = errors.split("\n").filter((line) => line.includes("Error:"));
  const text = (lines.length === 0 ? errors : lines.slice(0, 3).join("; ")).trim();
  return text === "" ? "libnftables gives no reason" : text.slice(0, 1000);
}

function errorCode(errors: string): string {
  if (/Operation not permitted/.test(errors)) return "EPERM";
  if (/No such file or directory/.test(errors)) return "ENOENT";
  if (/File exists/.test(errors)) return "EEXIST";
  if (/Message too long/.test(errors)) return "EMSGSIZE";
  return "Rejected";
}

const libc = koffi.load(null);
const signalMask = libc.func("int pthread_sigmask(int how, const void *set, void *former)");
const setMask = 2;
/** glibc's sigset_t: 1024 bits. */
const everySignal = Buffer.alloc(128, 0xff);

function withoutSignals<T>(work: () => T): T {
  const former = Buffer.alloc(128);
  signalMask(setMask, everySignal, former);
  try {
    return work();
  } finally {
    signalMask(setMask, former, null);
  }
}

function loadLibrary(toolsDir: string): Library {
  const known = loaded.get(toolsDir);
  if (known !== undefined) return known;
  const library = loadWithDependencies("libnftables.so.1", toolLibraryFolders(toolsDir));
  const bound: Library = {
    create: library.func("void *nft_ctx_new(uint32_t flags)") as Library["create"],
    free: library.func("void nft_ctx_free(void *ctx)") as Library["free"],
    bufferOutput: library.func("int nft_ctx_buffer_output(void *ctx)") as Library["bufferOutput"],
    bufferErrors: library.func("int nft_ctx_buffer_error(void *ctx)") as Library["bufferErrors"],
    outputOf: library.func("const char *nft_ctx_get_output_buffer(void *ctx)") as Library["outputOf"],
    errorsOf: library.func("const char *nft_ctx_get_error_buffer(void *ctx)") as Library["errorsOf"],
    run: library.func("int nft_run_cmd_from_buffer(void *ctx, const char *buf)") as Library["run"],
  };
  loaded.set(toolsDir, bound);
  return bound;
}

/**
 * The machine's library, else the one unpacked into the tools folder. There the loader does not look for what that one
 * needs; but what is loaded already satisfies it, so each library it misses is loaded first.
 */
function loadWithDependencies(name: string, folders: readonly string[]): ReturnType<typeof koffi.load> {
  const candidates = [name, ...folders.map((folder) => join(folder, name)).filter((path) => existsSync(path))];
  let failure: unknown;
  for (const candidate of candidates) {
    const tried = new Set<string>();
    for (;;) {
      try {
        return koffi.load(candidate);
      } catch (error) {
        failure = error;
        const missing = /([\w+.-]+\.so[\w.]*): cannot open shared object file/.exec(String(error))?.[1];
        if (missing === undefined || missing === name || tried.has(missing) || candidate === name) break;
        tried.add(missing);
        loadWithDependencies(missing, folders);
      }
    }
  }
  throw new NftablesError(
    "load libnftables",
    `"${name}" is neither on this machine nor in the tools folder: run "netloom setup" once, or "apt-get install libnftables1" (${String(failure)})`,
    "LibraryMissing",
  );
}
