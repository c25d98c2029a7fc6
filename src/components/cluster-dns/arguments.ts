/** The command line of CoreDNS, as far as Deployments use it. */

export interface DnsArguments {
  readonly corefile: string;
  /** Outside of a pod: how to reach the API server. */
  readonly kubeconfig?: string;
  readonly defaultPort: number;
}

class DnsArgumentError extends Error {
  readonly code = "InvalidArgument";
}

const names = new Map([
  ["conf", "corefile"],
  ["kubeconfig", "kubeconfig"],
  ["dns.port", "port"],
  ["p", "port"],
]);

/** Flags with one dash or two, their value behind `=` or next. Throws `DnsArgumentError`. */
export function parseDnsArguments(argv: readonly string[]): DnsArguments {
  const values = new Map<string, string>();
  for (let at = 0; at < argv.length; at += 1) {
    const [, flag = "", inline] = /^--?([^=]+)(?:=(.*))?$/s.exec(argv[at] ?? "") ?? [];
    const name = names.get(flag);
    if (name === undefined)
      throw new DnsArgumentError(
        `Cannot use argument "${argv[at]}": write -conf FILE, -dns.port PORT or -kubeconfig FILE`,
      );
    const value = inline ?? argv[(at += 1)];
    if (value === undefined) throw new DnsArgumentError(`Cannot use argument "-${flag}": its value is missing`);
    values.set(name, value);
  }
  const port = values.get("port") ?? "53";
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
    throw new DnsArgumentError(`Cannot use port "${port}": write a number from 1 to 65535`);
  const kubeconfig = values.get("kubeconfig");
  return {
    corefile: values.get("corefile") ?? "Corefile",
    defaultPort: Number(port),
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
  };
}
