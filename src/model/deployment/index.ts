export { planDeployment, templateText } from "./plan.ts";
export type { DeploymentEvent, DeploymentInput, DeploymentPlan } from "./plan.ts";
