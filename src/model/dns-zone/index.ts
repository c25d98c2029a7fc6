/** The cluster's DNS zone: objects of the API in, records with their cause out. */
export { DnsZone } from "./zone.ts";
export type { DnsZoneOptions } from "./zone.ts";
export { answerQuestion } from "./answer.ts";
export type { CausedRecord, ZoneAnswer } from "./answer.ts";
