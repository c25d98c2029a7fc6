/**
 * What the kubelet asks of a container runtime: the port behind which crun, conmon and the image store stand, with a
 * fake beside it. The words are those of Kubernetes' container runtime interface.
 */
import type { Readable, Writable } from "node:stream";

/** An image found in one of the sources, with the part of the OCI image configuration a container inherits. */
export interface Image {
  /** "sha256:…"; for catalog images a digest of what they are made of. */
  readonly id: string;
  /** As status reports it: "docker.io/library/nginx:1.27". */
  readonly name: string;
  readonly repoDigest: string;
  readonly sizeBytes: number;
  readonly source: "catalog" | "archive" | "registry";
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly env: readonly string[];
  readonly workingDir: string;
  /** "uid[:gid]" or a name; "" is root. */
  readonly user: string;
  readonly stopSignal: string;
  /** What the user should know, each becomes a Warning event: "nginx:1.27 stands for nginx 1.22 of this machine". */
  readonly warnings: readonly string[];
}

export interface ImageService {
  /**
   * Finds the image in the sources, in their order, and makes it ready to run. `name` as written in the manifest.
   * Rejects with `ImageError`, whose `reason` is the waiting reason upstream shows ("ErrImagePull", "InvalidImageName",
   * "ErrImageNeverPull").
   */
  pull(name: string, policy: { readonly onlyIfPresent: boolean; readonly never: boolean }): Promise<Image>;
  list(): Promise<readonly Image[]>;
}

export interface Mount {
  /** A file or folder in the agent's mount namespace. */
  readonly source: string;
  readonly target: string;
  readonly isReadOnly: boolean;
}

export interface ContainerSpec {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly name: string;
  /** How often the container was restarted before: names the log file. */
  readonly attempt: number;
  readonly image: Image;
  /** The whole command line, after the rules for `command` and `args` have been applied. */
  readonly argv: readonly string[];
  /** "NAME=value". */
  readonly env: readonly string[];
  readonly workingDir: string;
  /** undefined is the image's user. Where `gid` is undefined it is the one of the image's /etc/passwd, else 0. */
  readonly user:
    | { readonly uid: number; readonly gid: number | undefined; readonly supplementalGroups: readonly number[] }
    | undefined;
  readonly hasTerminal: boolean;
  readonly hasStdin: boolean;
  /** Closes stdin for good after the first attached client went away. */
  readonly stdinOnce: boolean;
  readonly mounts: readonly Mount[];
  readonly networkNamespacePath: string;
  readonly hostname: string;
  readonly isPrivileged: boolean;
  readonly isRootReadOnly: boolean;
  readonly addedCapabilities: readonly string[];
  readonly droppedCapabilities: readonly string[];
  /** Of the pod's namespaces: "net.ipv4.ip_unprivileged_port_start". */
  readonly sysctls?: Readonly<Record<string, string>>;
  /** `allowPrivilegeEscalation: false`. */
  readonly hasNoNewPrivileges?: boolean;
  /**
   * From -1000 to 1000, by upstream's rules; where it is lower than the runtime's own, which only a privileged process may
   * set, the container has that.
   */
  readonly oomScoreAdj?: number;
  /** Absolute; written in Kubernetes' log format: `<time> stdout F <line>`. */
  readonly logPath: string;
}

export interface ContainerStatus {
  readonly id: string;
  readonly pod: ContainerSpec["pod"];
  readonly name: string;
  readonly attempt: number;
  readonly image: Pick<Image, "id" | "name" | "repoDigest">;
  readonly logPath: string;
  readonly state:
    | { readonly type: "created" }
    | { readonly type: "running"; readonly pid: number; readonly startedAtMs: number }
    | {
        readonly type: "exited";
        readonly startedAtMs: number;
        readonly finishedAtMs: number;
        readonly exitCode: number;
        /** 0 where it exited by itself or where that is not known: the exit code 128 + n then tells. */
        readonly signal: number;
        readonly isOutOfMemory: boolean;
        /** The runtime's words where it could not be started (`exec: "foo": executable file not found in $PATH`): the reason then is "StartError", the exit code 128. Else "". */
        readonly message: string;
      };
}

/** A process in a container with its streams. With a terminal, stderr is empty: everything is on stdout. */
export interface Session {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable | undefined;
  resize(size: { readonly columns: number; readonly rows: number }): void;
  /** Exit code of an exec; for an attach, resolves with 0 when the streams end. */
  readonly exit: Promise<number>;
  /** Detaches; an exec's process is killed, an attached container lives on. */
  close(): void;
}

export interface ExecOptions {
  readonly command: readonly string[];
  readonly hasTerminal: boolean;
  readonly hasStdin: boolean;
}

/** One runtime serves one node. Containers outlive the process that holds it: `list` finds them again. */
export interface ContainerRuntime {
  readonly images: ImageService;
  /** What runs the containers, as a Node names it: "crun://1.21"; "crun://unknown" where it does not say. */
  version(): Promise<string>;
  /** Makes root and bundle and starts the container under its monitor. Rejects with `ContainerError` (reason "RunContainerError", "CreateContainerConfigError"); where its process could not be started, `list` has the container as exited with 128. */
  start(spec: ContainerSpec): Promise<ContainerStatus>;
  list(): Promise<readonly ContainerStatus[]>;
  /** Calls back, soon after each container's end, with its final status; also for containers found by `list`. */
  onExit(callback: (status: ContainerStatus) => void): void;
  /** Ends the watching; the containers run on. */
  close(): void;
  /** Sends the image's stop signal, after `graceMs` SIGKILL; resolves when it has ended. Harmless when it has already. */
  stop(id: string, options: { readonly graceMs: number }): Promise<ContainerStatus>;
  /** Removes an ended container's root and bundle; its log stays. */
  remove(id: string): Promise<void>;
  exec(id: string, options: ExecOptions): Promise<Session>;
  /** Runs to the end, without streams; for probes and hooks. `output` is cut at 10 KiB. Kills and rejects with `ExecTimeoutError` after `timeoutMs`. */
  execSync(
    id: string,
    options: { readonly command: readonly string[]; readonly timeoutMs: number },
  ): Promise<{ readonly exitCode: number; readonly output: string }>;
  attach(id: string): Promise<Session>;
  /** The container's log was renamed: it is written at `logPath` anew, soon. Harmless where the container has ended. */
  reopenLog(id: string): void;
}
