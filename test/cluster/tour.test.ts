/** The walk of a newcomer, with the real kubectl: what the first issue of every user is. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually, makeLab } from "./lab/index.ts";

const lab = makeLab();

/** Runs a shell line and returns its stdout; fails the test with everything it printed. */
async function shell(line: string): Promise<string> {
  const { code, stdout, stderr } = await lab.shell(line);
  assert.equal(code, 0, `${line}\n${stdout}${stderr}`);
  return stdout;
}

before(async () => {
  const { code, stderr } = await lab.netloom(["up"]);
  assert.equal(code, 0, stderr);
});
after(async () => await lab.end());

test("kubectl get nodes -o wide shows three Ready nodes in upstream's columns", async () => {
  const [header, ...rows] = (await shell("kubectl get nodes -o wide")).trimEnd().split("\n");
  assert.match(
    header ?? "",
    /^NAME +STATUS +ROLES +AGE +VERSION +INTERNAL-IP +EXTERNAL-IP +OS-IMAGE +KERNEL-VERSION +CONTAINER-RUNTIME$/,
  );
  assert.equal(rows.length, 3);
  assert.match(
    rows[0] ?? "",
    /^node-1 +Ready +control-plane +\S+ +v1\.35\.0\+netloom +192\.168\.60\.11 +<none> +\S.* crun:\/\/\d/,
  );
  assert.match(rows[1] ?? "", /^node-2 +Ready +<none> /);
});

test("a Service is created and described before it has pods", async () => {
  assert.equal(
    await shell("kubectl create -f examples/000-services/web-app-service.yaml"),
    "service/web-service created\n",
  );
  const described = await shell("kubectl describe services web-service");
  assert.match(described, /^Type: +ClusterIP$/m);
  assert.match(described, /^IP: +10\.\d+\.\d+\.\d+$/m);
  assert.match(described, /^TargetPort: +80\/TCP$/m);
  assert.match(described, /^Endpoints: *(<none>)?$/m);
});

test("pods with the label become endpoints, spread over nodes", async () => {
  assert.equal(
    await shell("kubectl run httpbin --image=kennethreitz/httpbin --labels=app=web"),
    "pod/httpbin created\n",
  );
  await shell("kubectl run httpbin-2 --image=kennethreitz/httpbin --labels=app=web");
  await shell("kubectl wait --for=condition=Ready pod/httpbin pod/httpbin-2 --timeout=30s");
  const described = await eventually(async () => {
    const text = await shell("kubectl describe services web-service");
    assert.match(text, /^Endpoints: +10\.244\.\d+\.\d+:80,10\.244\.\d+\.\d+:80$/m);
    return text;
  });
  assert.match(described, /Endpoints/);
  assert.match(await shell("kubectl get pod -o yaml httpbin | grep podIP:"), /^ {2}podIP: 10\.244\.\d+\.\d+$/m);
  const wide = await shell("kubectl get pods -o wide");
  assert.match(wide, /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES$/m);
  assert.match(wide, /^httpbin +1\/1 +Running +0 +\S+ +10\.244\.\d+\.\d+ +node-\d +<none> +<none>$/m);
  const nodes = new Set([...wide.matchAll(/ (node-\d) /g)].map((match) => match[1]));
  assert.equal(nodes.size, 2);
  assert.match(
    await shell("kubectl get services"),
    /^NAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\(S\) +AGE\nkubernetes +ClusterIP +10\.96\.0\.1 +<none> +443\/TCP +\S+\nweb-service +ClusterIP +\S+ +<none> +80\/TCP/m,
  );
});

test("from inside a pod the Service answers by every form of its name and by its address", async () => {
  const clusterIp = (await shell("kubectl get service web-service -o jsonpath='{.spec.clusterIP}'")).trim();
  for (const name of ["web-service", "web-service.default", "web-service.default.svc.cluster.local", clusterIp]) {
    assert.match(await shell(`kubectl exec httpbin -- curl -sS ${name}`), /<title>httpbin\.org<\/title>/, name);
  }
  assert.match(await shell("echo 'curl -sS web-service; exit' | kubectl exec -i httpbin -- /bin/bash"), /httpbin\.org/);
});

test("requests are spread over both pods and cross nodes", async () => {
  const text = await shell(
    "kubectl exec httpbin -- bash -c 'for i in $(seq 30); do curl -sS -o /dev/null -D - web-service | grep -i x-served-by; done'",
  );
  const served = new Set(text.trim().split(/\s*\n/));
  assert.equal(served.size, 2, text);
});

test("a busybox pod has wget, nslookup and ping", async () => {
  await shell("kubectl run client --image=busybox --restart=Never --command -- sleep 3600");
  await shell("kubectl wait --for=condition=Ready pod/client --timeout=30s");
  assert.match(await shell("kubectl exec client -- wget -qO- web-service"), /httpbin\.org/);
  const looked = await shell("kubectl exec client -- nslookup web-service.default.svc.cluster.local");
  assert.match(looked, /Server:\s+10\.96\.0\.10/);
  assert.match(looked, /Name:\s+web-service\.default\.svc\.cluster\.local/);
  const address = (await shell("kubectl get pod httpbin-2 -o jsonpath='{.status.podIP}'")).trim();
  assert.match(await shell(`kubectl exec client -- ping -c 1 -W 2 ${address}`), /1 packets received/);
});

test("kubectl run -it attaches to a shell and removes the pod afterwards", async () => {
  const answer = await lab.shell(
    "echo 'wget -qO- web-service | grep title; exit' | kubectl run visitor -i --rm --image=busybox --restart=Never",
  );
  assert.match(answer.stdout, /httpbin\.org/, answer.stderr);
});

test("a node reaches the Service by its address", async () => {
  const clusterIp = (await shell("kubectl get service web-service -o jsonpath='{.spec.clusterIP}'")).trim();
  const { code, stdout, stderr } = await lab.netloom(["exec", "node-1", "--", "curl", "-sS", clusterIp]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /httpbin\.org/);
});

test("a NodePort answers at every node from the outside, and from the host", async () => {
  assert.equal(
    await shell("kubectl create -f examples/000-services/web-app-nodeport-service.yaml"),
    "service/web-service-nodeport created\n",
  );
  assert.match(
    await shell("kubectl get services web-service-nodeport"),
    /^web-service-nodeport +NodePort +\S+ +<none> +80:3\d{4}\/TCP/m,
  );
  const port = (await shell("kubectl get service web-service-nodeport -o jsonpath='{.spec.ports[0].nodePort}'")).trim();
  const status = (await lab.netloom(["status"])).stdout;
  const hosts = [...status.matchAll(/127\.\d+\.0\.\d+$/gm)].map((match) => match[0]);
  assert.equal(hosts.length, 3, status);
  for (const number of [1, 2, 3]) {
    const answer = await lab.netloom([
      "exec",
      "outside",
      "--",
      "curl",
      "-sS",
      "--max-time",
      "5",
      `192.168.60.1${number}:${port}`,
    ]);
    assert.match(answer.stdout, /httpbin\.org/, answer.stderr);
  }
  for (const host of hosts) {
    await eventually(async () => assert.match(await shell(`curl -sS --max-time 5 ${host}:${port}`), /httpbin\.org/));
  }
});

test("no request fails while a deployment is scaled and its pods are deleted", async () => {
  await shell("kubectl create deployment web --image=httpd --replicas=3");
  await shell("kubectl expose deployment web --port=80");
  await shell("kubectl rollout status deployment web --timeout=60s");
  await eventually(async () => assert.match(await shell("kubectl exec httpbin -- curl -sS web"), /It works!/));
  const load = lab.shell(
    "kubectl exec httpbin -- bash -c 'for i in $(seq 150); do curl -sS --max-time 5 -o /dev/null -w \"%{http_code}\\n\" web; sleep 0.02; done'",
  );
  await shell("kubectl scale deployment web --replicas=5");
  await shell("kubectl rollout status deployment web --timeout=60s");
  await shell("kubectl delete pod $(kubectl get pods -l app=web,pod-template-hash -o name | head -1 | cut -d/ -f2)");
  await shell("kubectl scale deployment web --replicas=2");
  const { stdout, stderr } = await load;
  assert.equal(stderr, "");
  assert.deepEqual([...new Set(stdout.trim().split("\n"))], ["200"]);
  await eventually(async () => assert.match(await shell("kubectl get deployment web"), /^web +2\/2 +2 +2 /m));
});

test("logs, events, explain and kube-system read as upstream's", async () => {
  assert.match(await shell("kubectl logs httpbin"), /\S/);
  assert.match(await shell("kubectl logs -l app=web --tail=2"), /\S/);
  const system = await shell("kubectl get all -n kube-system | grep dns");
  assert.match(system, /^pod\/coredns-\w+-\w+ +1\/1 +Running/m);
  assert.match(system, /^service\/kube-dns +ClusterIP +10\.96\.0\.10 +<none> +53\/UDP,53\/TCP,9153\/TCP/m);
  assert.match(system, /^deployment\.apps\/coredns +2\/2 +2 +2 /m);
  assert.doesNotMatch(system, /extensions/);
  assert.match(system, /^replicaset\.apps\/coredns-\w+ +2 +2 +2 /m);
  const events = await shell("kubectl get events");
  for (const reason of ["Scheduled", "Pulled", "Created", "Started", "Killing", "ScalingReplicaSet"]) {
    assert.match(events, new RegExp(` ${reason} `), reason);
  }
  assert.match(await shell("kubectl explain service"), /^KIND: +Service$/m);
  assert.match(await shell("kubectl explain service.spec.ports"), /targetPort/);
});

test("objects are deleted as kubectl says", async () => {
  assert.equal(await shell("kubectl delete service web-service"), 'service "web-service" deleted\n');
  assert.match(await shell("kubectl delete pod client --now"), /^pod "client" .*deleted/);
  const gone = await lab.kubectl(["get", "pod", "client"]);
  assert.equal(gone.stderr, 'Error from server (NotFound): pods "client" not found\n');
});
