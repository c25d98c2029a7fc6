/** Parts that Go's types hold as structs and not as pointers: they are there from the start, and so nobody's own. */

/** Besides `metadata`, `spec` and `status` of any type, and lists that upstream writes even when they are empty. */
const plainFields: Readonly<Record<string, readonly string[]>> = {
  CronJobSpec: ["jobTemplate"],
  DaemonSetSpec: ["template", "updateStrategy"],
  DeploymentSpec: ["template", "strategy"],
  IngressStatus: ["loadBalancer"],
  JobSpec: ["template"],
  OldDeploymentSpec: ["template", "strategy"],
  PodSpec: ["containers"],
  PodTemplate: ["template"],
  ServiceStatus: ["loadBalancer"],
  StatefulSetSpec: ["template", "updateStrategy"],
};

const everywhere = new Set(["metadata", "spec", "status"]);

export function isPlainStruct(typeName: string, field: string): boolean {
  return everywhere.has(field) || plainFields[typeName]?.includes(field) === true;
}
