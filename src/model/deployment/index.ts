export { planDeployment, templateText } from "./plan.ts";
export type { DeploymentPlan } from "./plan.ts";
