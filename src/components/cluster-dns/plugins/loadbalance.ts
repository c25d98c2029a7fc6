/** Turns the order of the addresses with each reply, as many clients take the first. */
import type { ResourceRecord } from "../../../lib/dns-message/index.ts";
import { mapReply } from "../handler.ts";
import type { Plugin } from "../handler.ts";

/** More orders than this are not kept: with many addresses the first one still changes with each reply. */
const maxTurns = 16;

export function loadbalancePlugin(): Plugin {
  return (next) => (request) =>
    mapReply(next(request), (reply) => {
      const addresses = reply.answers.filter(isAddress);
      if (addresses.length < 2) return reply;
      const turned = turn(addresses, request.turn % addresses.length);
      const others = reply.answers.filter((record) => !isAddress(record));
      const { stableTurns } = reply;
      return {
        ...reply,
        answers: [...others, ...turned],
        ...(stableTurns === undefined ? {} : { stableTurns: Math.min(addresses.length, maxTurns) }),
      };
    });
}

function isAddress({ data }: ResourceRecord): boolean {
  return data.type === "A" || data.type === "AAAA";
}

function turn<T>(items: readonly T[], by: number): readonly T[] {
  return [...items.slice(by), ...items.slice(0, by)];
}
