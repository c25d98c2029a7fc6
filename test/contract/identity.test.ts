/** Who asks and what they may do: tokens, reviews, acting as somebody else, roles, nodes. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as fc from "fast-check";
import type { AuthenticationV1TokenRequest, SubjectAccessReview, TokenReview } from "../../src/api/generated/types.ts";
import { resources, reviews } from "../../src/api/resources.ts";
import type { ApiClient } from "../../src/client/index.ts";
import { issueCertificate } from "../../src/machinery/pki/index.ts";
import { startTestServer } from "./api-server.ts";
import type { TestServer } from "./api-server.ts";
import { startControllers } from "./controllers.ts";
import { eventually } from "./eventually.ts";
import { httpCaller } from "./http-call.ts";
import type { Caller } from "./http-call.ts";
import { messageOf } from "./refusal.ts";

let started: TestServer | undefined;
let stopControllers: (() => Promise<void>) | undefined;
let call: Caller;

function running(): TestServer {
  if (started === undefined) throw new Error("the test server did not start");
  return started;
}

before(async () => {
  started = await startTestServer();
  stopControllers = await startControllers(started);
  call = httpCaller(started);
});

after(async () => {
  await stopControllers?.();
  await started?.close();
});

const as = (name: string, ...groups: readonly string[]): ApiClient =>
  running().server.client({ name, groups: [...groups, "system:authenticated"] });
const admin = (): ApiClient => as("root", "system:masters");

async function tokenFor(account: string, spec: AuthenticationV1TokenRequest["spec"] = {}): Promise<string> {
  const key = { namespace: "default", name: account };
  const answer = await admin().createSubresource(resources.serviceAccounts, key, "token", { spec });
  return (answer as AuthenticationV1TokenRequest).status?.token ?? "";
}

async function review(token: string, audiences: readonly string[] = []): Promise<TokenReview["status"]> {
  const spec = audiences.length === 0 ? { token } : { token, audiences };
  return (await admin().create(reviews.tokenReviews, { spec })).status;
}

test("a certificate of another authority is 401, not a stranger's request; a good token counts beside it", async () => {
  const now = Date.now();
  const request = { commonName: "root", organizations: ["system:masters"], usage: "client" as const, validDays: 1 };
  const other = issueCertificate({ commonName: "other-ca", usage: "ca", validDays: 1 }, { issuer: undefined, now });
  const foreign = issueCertificate(request, { issuer: other, now });
  const ended = issueCertificate(request, { issuer: running().pki.ca, now: now - 2 * 86_400_000 });
  const token = await tokenFor("default");
  for (const { certificate: cert, key } of [foreign, ended]) {
    assert.equal((await call("/version", { identity: { cert, key } })).code, 401);
    const headers = { authorization: `Bearer ${token}` };
    assert.equal((await call("/version", { identity: { cert, key }, headers })).code, 200);
  }
  // As upstream: a certificate of ours counts before the token.
  const { code } = await call("/api/v1/nodes", { headers: { authorization: "Bearer x.y.z" } });
  assert.equal(code, 200);
});

test("a token tells its account, and ends with the account", async () => {
  await admin().create(resources.serviceAccounts, { metadata: { name: "short", namespace: "default" } });
  const token = await tokenFor("short");
  const status = await review(token);
  assert.equal(status?.authenticated, true);
  assert.equal(status?.user?.username, "system:serviceaccount:default:short");
  assert.deepEqual(status?.user?.groups, [
    "system:serviceaccounts",
    "system:serviceaccounts:default",
    "system:authenticated",
  ]);
  const who = await call("/apis/authentication.k8s.io/v1/selfsubjectreviews", {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: { kind: "SelfSubjectReview", apiVersion: "authentication.k8s.io/v1" },
    isAnonymous: true,
  });
  assert.equal(who.code, 201);
  const { status: self } = who.json as { status: { userInfo: { username: string } } };
  assert.equal(self.userInfo.username, "system:serviceaccount:default:short");
  await admin().delete(resources.serviceAccounts, { namespace: "default", name: "short" });
  assert.equal((await review(token))?.error, "[invalid bearer token, service account token has been invalidated]");
  assert.equal((await call("/api", { headers: { authorization: `Bearer ${token}` }, isAnonymous: true })).code, 401);
});

test("a token is good for its audiences only", async () => {
  const token = await tokenFor("default", { audiences: ["vault"] });
  assert.equal((await review(token, ["vault", "other"]))?.authenticated, true);
  assert.deepEqual((await review(token, ["vault", "other"]))?.audiences, ["vault"]);
  assert.match((await review(token))?.error ?? "", /token audiences \["vault"\] is invalid for the target audiences/);
  assert.equal((await call("/api", { headers: { authorization: `Bearer ${token}` }, isAnonymous: true })).code, 401);
});

test("a bound token ends with what it is bound to", async () => {
  const { metadata } = await admin().create(resources.secrets, { metadata: { name: "bound", namespace: "default" } });
  const boundObjectRef = { kind: "Secret", apiVersion: "v1", name: "bound", uid: metadata?.uid ?? "" };
  const token = await tokenFor("default", { boundObjectRef });
  assert.equal((await review(token))?.authenticated, true);
  assert.match(await messageOf(tokenFor("default", { boundObjectRef: { ...boundObjectRef, uid: "other" } })), /UID/);
  await admin().delete(resources.secrets, { namespace: "default", name: "bound" });
  assert.equal((await review(token))?.authenticated, undefined);
});

test("a token of a node ends with the node", async () => {
  const node = await admin().create(resources.nodes, { metadata: { name: "leaving" } });
  const boundObjectRef = { kind: "Node", apiVersion: "v1", name: "leaving", uid: node.metadata?.uid ?? "" };
  const token = await tokenFor("default", { boundObjectRef });
  const { user } = (await review(token)) ?? {};
  assert.deepEqual(user?.extra?.["authentication.kubernetes.io/node-name"], ["leaving"]);
  await admin().delete(resources.nodes, { name: "leaving" });
  assert.equal((await review(token))?.authenticated, undefined);
});

test("a Secret of a service account gets a token without end, and takes it along when it goes", async () => {
  await admin().create(resources.serviceAccounts, { metadata: { name: "lasting", namespace: "default" } });
  const key = { namespace: "default", name: "lasting-token" };
  const annotations = { "kubernetes.io/service-account.name": "lasting" };
  await admin().create(resources.secrets, {
    metadata: { ...key, annotations },
    type: "kubernetes.io/service-account-token",
  });
  const data = await eventually("the token is there", async () => {
    return (await admin().get(resources.secrets, key)).data;
  });
  assert.deepEqual(Object.keys(data).toSorted(), ["ca.crt", "namespace", "token"]);
  assert.equal(Buffer.from(data["namespace"] ?? "", "base64").toString(), "default");
  const token = Buffer.from(data["token"] ?? "", "base64").toString();
  assert.equal((await review(token))?.user?.username, "system:serviceaccount:default:lasting");
  await admin().delete(resources.serviceAccounts, { namespace: "default", name: "lasting" });
  await eventually("the secret is gone", async () => {
    const { items } = await admin().list(resources.secrets, { fieldSelector: `metadata.name=${key.name}` });
    return items.length === 0;
  });
  assert.equal((await review(token))?.authenticated, undefined);
});

test("others can check tokens with what OpenID discovery says", async () => {
  const configuration = (await call("/.well-known/openid-configuration")).json as { issuer: string; jwks_uri: string };
  assert.equal(configuration.issuer, "https://kubernetes.default.svc.cluster.local");
  const { keys } = (await call("/openid/v1/jwks")).json as { keys: { kid: string; alg: string }[] };
  const [header = ""] = (await tokenFor("default")).split(".");
  assert.equal(keys[0]?.kid, (JSON.parse(Buffer.from(header, "base64url").toString()) as { kid: string }).kid);
  const refused = await call("/openid/v1/jwks", { isAnonymous: true });
  assert.equal(refused.code, 403);
  assert.equal(
    (refused.json as { message: string }).message,
    'forbidden: User "system:anonymous" cannot get path "/openid/v1/jwks"',
  );
});

test("no text makes the authenticator fail: it is good or 401", async () => {
  const token = await tokenFor("default");
  const parts = token.split(".");
  const piece = fc.oneof(fc.constantFrom(...parts, ""), fc.base64String(), fc.string(), fc.json());
  const broken = fc.array(piece, { maxLength: 5 }).map((list) => list.join("."));
  await fc.assert(
    fc.asyncProperty(broken, async (text) => {
      fc.pre(text !== "" && text !== token);
      assert.equal((await review(text))?.authenticated, undefined);
    }),
    { numRuns: 200 },
  );
});

test("access reviews answer for anybody, with the reason", async () => {
  await admin().create(resources.clusterRoleBindings, {
    metadata: { name: "jane-views" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "jane" }],
  });
  const ask = async (verb: string, resource: string): Promise<SubjectAccessReview["status"]> => {
    const resourceAttributes = { verb, resource, group: "", namespace: "default" };
    return (await admin().create(reviews.subjectAccessReviews, { spec: { user: "jane", resourceAttributes } })).status;
  };
  assert.deepEqual(await ask("list", "pods"), {
    allowed: true,
    reason: 'RBAC: allowed by ClusterRoleBinding "jane-views" of ClusterRole "view" to User "jane"',
  });
  assert.deepEqual(await ask("list", "secrets"), { allowed: false });
  assert.equal(
    await messageOf(as("jane").create(reviews.subjectAccessReviews, { spec: { user: "root" } })),
    'subjectaccessreviews.authorization.k8s.io is forbidden: User "jane" cannot create resource "subjectaccessreviews" in API group "authorization.k8s.io" at the cluster scope',
  );
  assert.match(
    await messageOf(admin().create(reviews.subjectAccessReviews, { spec: {} })),
    /^SubjectAccessReview.authorization.k8s.io "" is invalid: \[spec.resourceAttributes: Invalid value: .*spec.user: Required value: at least one of user or group must be specified\]$/,
  );
});

test("a self rules review lists what roles give", async () => {
  const { status } = await as("jane").create(reviews.selfSubjectRulesReviews, { spec: { namespace: "default" } });
  assert.equal(status?.incomplete, false);
  assert.ok(status?.resourceRules.some(({ resources: kinds = [] }) => kinds.includes("selfsubjectreviews")));
  assert.ok(status?.nonResourceRules.some(({ nonResourceURLs = [] }) => nonResourceURLs.includes("/api/*")));
});

const impersonation: readonly (readonly [
  string,
  Readonly<Record<string, string | readonly string[]>>,
  number,
  RegExp,
])[] = [
  ["a user", { "impersonate-user": "jane" }, 403, /User "jane" cannot list resource "secrets"/],
  [
    "a user and groups",
    { "impersonate-user": "jane", "impersonate-group": ["a", "system:masters"] },
    200,
    /SecretList/,
  ],
  [
    "a service account",
    { "impersonate-user": "system:serviceaccount:default:default" },
    403,
    /User "system:serviceaccount:default:default" cannot list/,
  ],
  ["groups without a user", { "impersonate-group": "system:masters" }, 500, /without impersonating a user/],
  [
    "an extra that is no name of an own property",
    { "impersonate-user": "x", "impersonate-extra-__proto__": "y" },
    403,
    /"x"/,
  ],
];
for (const [what, headers, code, expected] of impersonation) {
  test(`an administrator acts as ${what}`, async () => {
    const answer = await call("/api/v1/namespaces/default/secrets", { headers });
    assert.equal(answer.code, code, answer.text);
    assert.match(answer.text.replaceAll('\\"', '"'), expected);
  });
}

test("acting as somebody else needs the right to, for every part of them", async () => {
  const token = await tokenFor("default");
  const headers = { authorization: `Bearer ${token}`, "impersonate-user": "jane" };
  const refused = await call("/api/v1/pods", { headers, isAnonymous: true });
  assert.equal(
    (refused.json as { message: string }).message,
    'users "jane" is forbidden: User "system:serviceaccount:default:default" cannot impersonate resource "users" in API group "" at the cluster scope',
  );
});

test("no headers make impersonation fail", async () => {
  const name = fc.constantFrom(
    "impersonate-user",
    "impersonate-group",
    "impersonate-uid",
    "impersonate-extra-%zz",
    "impersonate-x",
  );
  const value = fc.string({ unit: fc.constantFrom("a", ":", "%", " ", "/", "é", "~", '"') });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(name, value), { maxLength: 4 }), async (pairs) => {
      const headers: Record<string, string[]> = {};
      for (const [key, text] of pairs) (headers[key] ??= []).push(text);
      const { code } = await call("/api/v1/namespaces/default/secrets", { headers });
      assert.ok([200, 400, 403, 500].includes(code), String(code));
    }),
    { numRuns: 40 },
  );
});

test("nobody gives away rights that they do not hold", async () => {
  const binding = {
    metadata: { name: "bob-admin", namespace: "default" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "admin" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "bob" }],
  };
  await admin().create(resources.roleBindings, binding);
  const role = (verbs: readonly string[], resource: string, name: string) => ({
    metadata: { name, namespace: "default" },
    rules: [{ apiGroups: [""], resources: [resource], verbs }],
  });
  await as("bob").create(resources.roles, role(["get"], "secrets", "fine"));
  assert.equal(
    await messageOf(as("bob").create(resources.roles, role(["get", "delete"], "nodes", "too-much"))),
    'roles.rbac.authorization.k8s.io "too-much" is forbidden: user "bob" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["nodes"], Verbs:["get" "delete"]}',
  );
  const wide = {
    ...binding,
    metadata: { name: "wide", namespace: "default" },
    roleRef: { ...binding.roleRef, name: "cluster-admin" },
  };
  assert.match(
    await messageOf(as("bob").create(resources.roleBindings, wide)),
    /is attempting to grant RBAC permissions/,
  );
  const missing = { ...wide, roleRef: { ...wide.roleRef, name: "none" } };
  assert.equal(
    await messageOf(as("bob").create(resources.roleBindings, missing)),
    'clusterroles.rbac.authorization.k8s.io "none" not found',
  );
  const bind = {
    apiGroups: ["rbac.authorization.k8s.io"],
    resources: ["clusterroles"],
    resourceNames: ["cluster-admin"],
    verbs: ["bind"],
  };
  await admin().create(resources.roles, { metadata: { name: "binder", namespace: "default" }, rules: [bind] });
  await admin().create(resources.roleBindings, {
    ...binding,
    metadata: { name: "bob-binds", namespace: "default" },
    roleRef: { ...binding.roleRef, kind: "Role", name: "binder" },
  });
  await as("bob").create(resources.roleBindings, wide);
});

test("roles that are made of others follow them", async () => {
  await admin().create(resources.clusterRoles, {
    metadata: { name: "see-widgets", labels: { "rbac.authorization.k8s.io/aggregate-to-view": "true" } },
    rules: [{ apiGroups: ["example.com"], resources: ["widgets"], verbs: ["list"] }],
  });
  await eventually("admin has the rule of see-widgets", async () => {
    const { rules = [] } = await admin().get(resources.clusterRoles, { name: "admin" });
    return rules.some(({ resources: kinds = [] }) => kinds.includes("widgets"));
  });
});

test("each controller's account is there, with a role and nothing more", async () => {
  const { items } = await admin().list(resources.serviceAccounts, { namespace: "kube-system" });
  assert.ok(items.some(({ metadata }) => metadata?.name === "deployment-controller"));
  const ask = async (verb: string, group: string, resource: string): Promise<boolean | undefined> => {
    const resourceAttributes = { verb, group, resource, namespace: "default" };
    const user = "system:serviceaccount:kube-system:deployment-controller";
    return (await admin().create(reviews.subjectAccessReviews, { spec: { user, resourceAttributes } })).status?.allowed;
  };
  assert.equal(await ask("create", "apps", "replicasets"), true);
  assert.equal(await ask("patch", "apps", "deployments"), false);
  assert.equal(await ask("get", "", "secrets"), false);
});

test("a role that is bound but not there is told with the refusal", async () => {
  await admin().create(resources.clusterRoleBindings, {
    metadata: { name: "dangling" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "lost" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "ann" }],
  });
  assert.equal(
    await messageOf(as("ann").list(resources.nodes)),
    'nodes is forbidden: User "ann" cannot list resource "nodes" in API group "" at the cluster scope: RBAC: clusterrole.rbac.authorization.k8s.io "lost" not found',
  );
});

test("who may read one object may list and watch it by its name, and no other", async () => {
  const names = { apiGroups: [""], resources: ["configmaps"], resourceNames: ["mine"], verbs: ["list"] };
  const metadata = { name: "list-mine", namespace: "default" };
  await admin().create(resources.roles, { metadata, rules: [names] });
  await admin().create(resources.roleBindings, {
    metadata,
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "list-mine" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "eve" }],
  });
  const list = (fieldSelector: string) => as("eve").list(resources.configMaps, { namespace: "default", fieldSelector });
  await list("metadata.name=mine");
  assert.match(
    await messageOf(list("metadata.name=other")),
    /^configmaps "other" is forbidden: User "eve" cannot list/,
  );
  assert.match(await messageOf(list("metadata.name!=mine")), /^configmaps is forbidden: User "eve" cannot list/);
});

test("a node reads only what its pods need", async () => {
  const pod = (name: string, nodeName: string, secret: string) => ({
    metadata: { name, namespace: "default" },
    spec: {
      nodeName,
      containers: [{ name: "c", image: "nginx" }],
      volumes: [{ name: "v", secret: { secretName: secret } }],
    },
  });
  for (const name of ["one", "two"])
    await admin().create(resources.secrets, { metadata: { name, namespace: "default" } });
  await admin().create(resources.pods, pod("pod-one", "node-1", "one"));
  await admin().create(resources.pods, pod("pod-two", "node-2", "two"));
  const node = as("system:node:node-1", "system:nodes");
  await node.get(resources.secrets, { namespace: "default", name: "one" });
  assert.equal(
    await messageOf(node.get(resources.secrets, { namespace: "default", name: "two" })),
    'secrets "two" is forbidden: User "system:node:node-1" cannot get resource "secrets" in API group "" in the namespace "default": no relationship found between node \'node-1\' and this object',
  );
  assert.match(await messageOf(node.list(resources.secrets)), /can only read namespaced object of this type/);
  await node.list(resources.pods, { fieldSelector: "spec.nodeName=node-1" });
  assert.match(
    await messageOf(node.list(resources.pods)),
    /can only list\/watch pods with spec.nodeName field selector/,
  );
  await node.get(resources.configMaps, { namespace: "default", name: "kube-root-ca.crt" });
  assert.match(
    await messageOf(node.get(resources.nodes, { name: "node-2" })),
    /: node 'node-1' cannot read 'node-2', only its own Node object$/,
  );
  assert.match(
    await messageOf(node.list(resources.nodes)),
    /: node 'node-1' cannot read all nodes, only its own Node object$/,
  );
  await node.list(resources.nodes, { fieldSelector: "metadata.name=node-1" });
  await node.get(resources.serviceAccounts, { namespace: "default", name: "default" });
  assert.match(
    await messageOf(node.get(resources.serviceAccounts, { namespace: "kube-system", name: "default" })),
    /no relationship found between node 'node-1' and this object/,
  );
  assert.equal(
    await messageOf(as("system:node:node-1").get(resources.secrets, { namespace: "default", name: "one" })),
    'secrets "one" is forbidden: User "system:node:node-1" cannot get resource "secrets" in API group "" in the namespace "default"',
  );
});

test("a node writes only about itself", async () => {
  const node = as("system:node:node-1", "system:nodes");
  await node.create(resources.nodes, { metadata: { name: "node-1" } });
  assert.equal(
    await messageOf(node.create(resources.nodes, { metadata: { name: "node-9" } })),
    'nodes "node-9" is forbidden: node "node-1" is not allowed to modify node "node-9"',
  );
  assert.match(
    await messageOf(
      node.patch(
        resources.nodes,
        { name: "node-1" },
        { type: "merge", body: { spec: { taints: [{ key: "a", effect: "NoSchedule" }] } } },
      ),
    ),
    /node "node-1" is not allowed to modify taints/,
  );
  assert.match(
    await messageOf(
      node.create(resources.pods, {
        metadata: { name: "own", namespace: "default" },
        spec: { nodeName: "node-1", containers: [{ name: "c", image: "x" }] },
      }),
    ),
    /can only create mirror pods$/,
  );
  assert.match(
    await messageOf(node.delete(resources.pods, { namespace: "default", name: "pod-two" })),
    /node "node-1" can only delete pods with spec.nodeName set to itself/,
  );
  assert.match(
    await messageOf(
      node.createSubresource(resources.serviceAccounts, { namespace: "default", name: "default" }, "token", {
        spec: {},
      }),
    ),
    /node requested token not bound to a pod/,
  );
});
