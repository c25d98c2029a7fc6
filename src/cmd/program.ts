/** The user's commands: names, options, help, exit codes. Each does its work in a file of its own. */
import { Command, InvalidArgumentError, Option } from "commander";
import { createProgress } from "../components/lab-host/index.ts";
import { clusterDefaults } from "../model/cluster-plan/index.ts";
import { kubernetesVersion } from "./version.ts";

/** 0: done; 1: refused or failed, said on stderr; 2: the command line is wrong; 130: interrupted. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  const progress = createProgress();
  const interrupt = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.on(name, () => interrupt.abort(new Error(`interrupted by ${name}`)));
  let code = 0;
  const program = createProgram({ progress, signal: interrupt.signal, setExitCode: (value) => (code = value) });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return code;
  } catch (error) {
    if (interrupt.signal.aborted) {
      progress.fail("interrupted; everything made so far is removed");
      return 130;
    }
    return report(error, (message) => progress.fail(message));
  }
}

function report(error: unknown, fail: (message: string) => void): number {
  const { code, exitCode } = error as { readonly code?: string; readonly exitCode?: number };
  // Commander has printed its own message, and help is no error.
  if (code?.startsWith("commander.") === true) return exitCode === 0 ? 0 : 2;
  const message = error instanceof Error ? error.message : String(error);
  const isUsers = code !== undefined && /^[A-Z]/.test(code);
  fail(isUsers ? message : `${message}\n${error instanceof Error ? (error.stack ?? "") : ""}`);
  return 1;
}

interface Surroundings {
  readonly progress: ReturnType<typeof createProgress>;
  readonly signal: AbortSignal;
  readonly setExitCode: (code: number) => void;
}

const nameOption = (): Option => new Option("--name <name>", "the cluster's name").default(clusterDefaults.name);

function createProgram({ progress, signal, setExitCode }: Surroundings): Command {
  const program = new Command("netloom")
    .description(
      `All of Kubernetes networking on this machine: a cluster of real nodes, pods and packets (API ${kubernetesVersion})`,
    )
    .exitOverride()
    .showSuggestionAfterError();
  const command = (name: string, description: string): Command =>
    program.command(name).description(description).addOption(nameOption()).exitOverride();

  command("up", "make a cluster and wait until it serves")
    .option("--nodes <n>", "how many nodes", wholeNumber, clusterDefaults.nodes)
    .option("--wait <duration>", "how long to wait for nodes and DNS; 0 does not wait", duration, 60_000)
    .option("--api-port <port>", "the API's port on 127.0.0.1; the first free one from 6443 where absent", wholeNumber)
    .option("--pod-cidr <range>", "addresses of the pods, a /24 per node", clusterDefaults.podCidr)
    .option("--service-cidr <range>", "addresses of the Services", clusterDefaults.serviceCidr)
    .option("--node-cidr <range>", "addresses of the nodes", clusterDefaults.nodeCidr)
    .option("--outside-cidr <range>", "addresses of the client beyond the cluster", clusterDefaults.outsideCidr)
    .option("--cluster-domain <name>", "the DNS name under which Services live", clusterDefaults.clusterDomain)
    .option("--node-port-range <first-last>", "ports of NodePort Services", clusterDefaults.nodePortRange)
    .option("--images <sources>", "where images come from", clusterDefaults.images)
    .option("--agents <n>", "how many processes share the nodes", wholeNumber, 1)
    .option("--kubeconfig <file>", "the kubeconfig to merge the context into")
    .action(async ({ wait, ...options }: Record<string, never> & { wait: number }) => {
      const { up } = await import("./up.ts");
      await up({ ...options, waitMs: wait === 0 ? undefined : wait }, progress, signal);
    });
  command("down", "end a cluster and remove every trace of it").action(async ({ name }: { name: string }) => {
    const { down } = await import("./down.ts");
    await down(name, progress);
  });
  command("status", "show nodes, processes and addresses").action(async ({ name }: { name: string }) => {
    const { status } = await import("./status.ts");
    process.stdout.write(await status(name));
  });
  command("exec", "run a command on a node: netloom exec node-1 -- curl …")
    .argument("<node>", 'a node, or "outside" for the client beyond the cluster')
    .argument("[command...]", "the command line; a shell where absent")
    .passThroughOptions(false)
    .action(async (node: string, words: string[], { name }: { name: string }) => {
      const { exec } = await import("./exec.ts");
      setExitCode(await exec({ name, node, words }));
    });
  command("logs", "show what the cluster's processes wrote")
    .argument("[component]", "holder, server, agent-1")
    .action(async (component: string | undefined, { name }: { name: string }) => {
      const { logs } = await import("./logs.ts");
      await logs(name, component, process.stdout);
    });
  command("kubeconfig", "print the administrator's kubeconfig").action(async ({ name }: { name: string }) => {
    const { kubeconfig } = await import("./kubeconfig.ts");
    process.stdout.write(kubeconfig(name));
  });
  addImageCommands(program);
  command("tour", "walk through Services with the real kubectl").action(async ({ name }: { name: string }) => {
    const { tour } = await import("./tour.ts");
    await tour(name);
  });
  program
    .command("version")
    .description("print the version")
    .action(async () => {
      const { version } = await import("./version.ts");
      process.stdout.write(`${version()}\n`);
    });
  return program;
}

function addImageCommands(program: Command): void {
  const image = program.command("image").description("the images pods can run").exitOverride();
  image
    .command("ls")
    .description("list the catalog's images and those loaded into a cluster")
    .addOption(nameOption())
    .exitOverride()
    .action(async ({ name }: { name: string }) => {
      const { listImages } = await import("./image.ts");
      process.stdout.write(listImages(name));
    });
  image
    .command("load")
    .description("load images from an archive made by docker save or skopeo (OCI or docker-archive)")
    .argument("<file>", "a .tar file")
    .addOption(nameOption())
    .exitOverride()
    .action(async (file: string, { name }: { name: string }) => {
      const { loadImages } = await import("./image.ts");
      process.stdout.write(await loadImages(name, file));
    });
  image
    .command("rm")
    .description("remove a loaded image from a cluster")
    .argument("<image>", "its name, as image ls shows it")
    .addOption(nameOption())
    .exitOverride()
    .action(async (reference: string, { name }: { name: string }) => {
      const { removeImage } = await import("./image.ts");
      process.stdout.write(removeImage(name, reference));
    });
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError(`"${text}" is not a whole number.`);
  return Number(text);
}

/** Go's durations, as kubectl takes them: "30s", "1m30s", "500ms"; a bare number is seconds. In milliseconds. */
export function duration(text: string): number {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const units: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
  if (!/^(\d+(\.\d+)?(h|m|s|ms))+$/.test(text)) {
    throw new InvalidArgumentError(`"${text}" is not a duration such as "30s" or "1m30s".`);
  }
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)].reduce(
    (sum, [, amount, unit = "s"]) => sum + Number(amount) * (units[unit] ?? 0),
    0,
  );
}
