export { planCronJob, referenceToJob } from "./plan.ts";
