/** `netloom tour`: the walk through Services that newcomers take, with the real kubectl and its real output. */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { IpFamily } from "../lib/ip/index.ts";
import { familiesOf } from "../model/cluster-config.ts";
import { CommandError, runningCluster } from "./clusters.ts";
import { openTourShell } from "./tour-shell.ts";

interface Step {
  readonly why: string;
  /** Shell commands as a reader would type them. */
  readonly type: readonly string[];
}

const examples = fileURLToPath(
  new URL(import.meta.url.endsWith(".ts") ? "../../examples" : "../examples", import.meta.url),
);

/** Pure: the walk through a cluster whose first node the host reaches at `loopbackAddress`; `family` is its primary one. */
function steps(loopbackAddress: string, family: IpFamily): readonly Step[] {
  const clusterIp = "$(kubectl get service web-service -o jsonpath='{.spec.clusterIP}')";
  return [
    {
      why: "A cluster of network namespaces, and to kubectl a cluster like any other",
      type: ["kubectl get nodes -o wide"],
    },
    {
      why: "A Service without pods: it has an address, and no endpoints",
      type: ["kubectl create -f web-app-service.yaml", "kubectl describe services web-service"],
    },
    {
      why: "Two pods with the label that the Service selects",
      type: [
        "kubectl run httpbin --image=kennethreitz/httpbin --labels=app=web",
        "kubectl run httpbin-2 --image=kennethreitz/httpbin --labels=app=web",
        "kubectl wait --for=condition=Ready pod/httpbin pod/httpbin-2 --timeout=30s",
      ],
    },
    {
      why: "The endpoints follow",
      type: [
        'kubectl describe services web-service | grep "Endpoints"',
        "kubectl get pod -o yaml httpbin | grep podIP",
        "kubectl get pods -o wide",
      ],
    },
    {
      why: "From inside a pod the Service answers by its name, whichever pod and node serves it",
      type: [
        "kubectl exec httpbin -- curl -s web-service | head -6",
        "kubectl exec httpbin -- curl -s web-service.default.svc.cluster.local/headers",
        "kubectl exec httpbin -- cat /etc/resolv.conf",
      ],
    },
    {
      why: "The same Service on a port of every node, and from this very host",
      type: [
        "kubectl create -f web-app-nodeport-service.yaml",
        "kubectl get services web-service-nodeport",
        `netloom exec node-1 -- curl -s ${family === "IPv6" ? `-g "http://[${clusterIp}]/ip"` : `${clusterIp}/ip`}`,
        `curl -s ${loopbackAddress}:$(kubectl get services web-service-nodeport -o jsonpath='{.spec.ports[0].nodePort}') | grep title`,
      ],
    },
  ];
}

/** Takes the walk on a running cluster and leaves its objects there. Rejects at the first command that fails. */
export async function tour(name: string): Promise<void> {
  const { config } = runningCluster(name);
  const { kubectl, type: run } = openTourShell({
    toolsDir: config.toolsDir,
    context: config.name,
    folder: `${examples}/000-services`,
  });
  await run(
    "kubectl delete pods,services --ignore-not-found --now httpbin httpbin-2 web-service web-service-nodeport >/dev/null",
  );
  const [first] = config.nodes;
  for (const { why, type } of steps(first?.loopbackAddress ?? "127.0.0.1", familiesOf(config)[0])) {
    process.stdout.write(`\n# ${why}\n`);
    for (const command of type) {
      process.stdout.write(`$ ${command}\n`);
      const code = await run(command);
      if (code !== 0) throw new CommandError(`The tour stopped: "${command}" ended with exit code ${code}`);
    }
  }
  process.stdout.write(farewell(kubectl));
}

function farewell(kubectl: string): string {
  const netloom = process.env["npm_lifecycle_event"] === undefined ? "netloom" : "npx netloom";
  const onPath = (process.env["PATH"] ?? "").split(":").includes(dirname(kubectl));
  return `
The cluster stays. Worth trying next:
${onPath ? "" : `  alias kubectl=${kubectl}     # this one was fetched; your PATH has none\n`}\
  kubectl run client -it --rm --image=busybox     # a shell in a pod: wget -qO- web-service, nslookup web-service
  kubectl create deployment web --image=nginx --replicas=3 && kubectl get pods -o wide
  ${netloom} exec node-1 -- nft list ruleset     # what makes it work; "${netloom} down" ends it
`;
}
