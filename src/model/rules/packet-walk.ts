/**
 * Walks the first packet of a connection, or a later one, through a rule set as the kernel does, and tells each rule and
 * element that matched. What is outside of the rules (routing, connection tracking's memory, chance) is given.
 *
 *   from a link:  prerouting ─ routed ─┬─ input                    (the node itself)
 *                                      └─ forward ─ postrouting
 *   from the node: output ─ routed ─ postrouting
 */
import { cidrContains, type Cidr, type IpAddress } from "../../lib/ip/index.ts";
import {
  indexElements,
  keyText,
  setPath,
  type Chain,
  type Element,
  type Hook,
  type Rule,
  type RuleSet,
  type Skeleton,
} from "./rule-set.ts";
import type { Field, Statement, Value, Verdict } from "./statement.ts";
import type { Packet, WalkEnvironment, WalkInput, WalkResult, WalkStep } from "./walk-types.ts";

/** A rule set made ready for many walks. */
interface Walker {
  walk(input: WalkInput): WalkResult;
  /** Every way it can go: one result per sequence of numbers that dice can show. */
  walkAll(input: Omit<WalkInput, "choose">): readonly WalkResult[];
}

export function createWalker(ruleSet: RuleSet, environment: WalkEnvironment): Walker {
  const elements = indexElements(ruleSet.parts.values());
  const walk = (input: WalkInput): WalkResult => new Walk({ ruleSet, elements, environment }, input).run();
  return {
    walk,
    walkAll: (input) => {
      const results: WalkResult[] = [];
      // Counts through all sequences: each walk follows the script, then zeros; the last number that can grow does.
      for (let script: number[] | undefined = []; script !== undefined;) {
        const moduli: number[] = [];
        const rolled: number[] = [];
        const follow: readonly number[] = script;
        const choose = (modulus: number): number => {
          const number = follow[moduli.length] ?? 0;
          moduli.push(modulus);
          rolled.push(number);
          return number;
        };
        results.push(walk({ ...input, choose }));
        script = nextScript(rolled, moduli);
      }
      return results;
    },
  };
}

function nextScript(rolled: readonly number[], moduli: readonly number[]): number[] | undefined {
  for (let index = rolled.length - 1; index >= 0; index -= 1) {
    const number = (rolled[index] ?? 0) + 1;
    if (number < (moduli[index] ?? 0)) return [...rolled.slice(0, index), number];
  }
  return undefined;
}

interface Walkable {
  readonly ruleSet: RuleSet;
  readonly elements: ReadonlyMap<string, ReadonlyMap<string, Element>>;
  readonly environment: WalkEnvironment;
}

/** How a rule or chain ended: a final verdict for this hook's chain, back to the caller, or go on. */
type Outcome = "accept" | "drop" | "reject" | "return" | "continue";

/** One packet on its way; lives for one walk. */
class Walk {
  readonly #walkable: Walkable;
  readonly #input: WalkInput;
  readonly #steps: WalkStep[] = [];
  readonly #updates: { set: string; key: string; value: number | undefined }[] = [];
  readonly #dynamic = new Map<string, number | undefined>();
  #packet: Packet;
  #mark = 0;
  #connectionMark: number;
  #isDestinationTranslated: boolean;
  #isSourceTranslated = false;
  #rejectedWith: "tcp reset" | "icmp port-unreachable" | undefined;
  #skeleton: Skeleton | undefined;
  #hook: Hook = "prerouting";

  constructor(walkable: Walkable, input: WalkInput) {
    this.#walkable = walkable;
    this.#input = input;
    this.#packet = input.packet;
    this.#connectionMark = input.mark ?? 0;
    this.#isDestinationTranslated = input.isTranslated ?? false;
  }

  run(): WalkResult {
    const isFromLink = this.#input.interfaceName !== undefined;
    let outcome = this.#runHook(isFromLink ? "prerouting" : "output");
    if (outcome === "accept" && isFromLink) {
      const isForNode = this.#walkable.environment.addressType(this.#packet.destination) === "local";
      outcome = this.#runHook(isForNode ? "input" : "forward");
    }
    if (outcome === "accept" && this.#hook !== "input") outcome = this.#runHook("postrouting");
    return {
      verdict: outcome,
      ...(this.#rejectedWith === undefined ? {} : { rejectedWith: this.#rejectedWith }),
      hook: this.#hook,
      packet: this.#packet,
      connectionMark: this.#connectionMark,
      isDestinationTranslated: this.#isDestinationTranslated,
      isSourceTranslated: this.#isSourceTranslated,
      steps: this.#steps,
      updates: this.#updates,
    };
  }

  #runHook(hook: Hook): "accept" | "drop" | "reject" {
    this.#hook = hook;
    const chains = this.#walkable.ruleSet.skeletons
      .filter(({ family }) => family === this.#packet.family)
      .flatMap((skeleton) => [...skeleton.chains.values()].map((chain) => ({ skeleton, chain })))
      .filter(({ chain }) => chain.base?.hook === hook)
      .toSorted((one, other) => (one.chain.base?.priority ?? 0) - (other.chain.base?.priority ?? 0));
    for (const { skeleton, chain } of chains) {
      // Connection tracking asks nat chains about the first packet only.
      if (chain.base?.type === "nat" && (this.#input.state ?? "new") !== "new") continue;
      this.#skeleton = skeleton;
      const outcome = this.#runChain(chain);
      if (outcome === "drop" || outcome === "reject") return outcome;
    }
    return "accept";
  }

  #runChain(chain: Chain): Outcome {
    for (const [index, rule] of chain.rules.entries()) {
      const found: Element[] = [];
      const outcome = this.#runRule(rule, found, () =>
        this.#steps.push({
          hook: this.#hook,
          table: this.#skeleton?.table ?? "",
          chain: chain.name,
          rule,
          index,
          elements: found,
        }),
      );
      if (outcome !== "continue") return outcome;
    }
    return "continue";
  }

  /** `matched` is called once, before the first effect or at the end of the conditions. */
  #runRule(rule: Rule, found: Element[], matched: () => void): Outcome {
    let hasMatched = false;
    const match = (): void => {
      if (!hasMatched) matched();
      hasMatched = true;
    };
    for (const statement of rule.statements) {
      const result = this.#runStatement(statement, found);
      if (result === "break") return "continue";
      if (result === "hold") continue;
      match();
      if (result === "done") continue;
      if (result === "accept" || result === "drop" || result === "return" || result === "reject") return result;
      const target = this.#skeleton?.chains.get(result.chain);
      if (target === undefined) throw new Error(`Cannot follow rule: there is no chain "${result.chain}"`);
      const outcome = this.#runChain(target);
      // A chain that was gone to never comes back: its end is the end of the caller.
      if (result.kind === "goto") return outcome === "continue" ? "return" : outcome;
      if (outcome !== "continue" && outcome !== "return") return outcome;
    }
    return "continue";
  }

  #runStatement(
    statement: Statement,
    found: Element[],
  ): "break" | "hold" | "done" | "accept" | "drop" | "return" | "reject" | Extract<Verdict, { chain: string }> {
    switch (statement.kind) {
      case "compare":
      case "one-of":
        return this.#holds(statement) ? "hold" : "break";
      case "in-set": {
        const element = this.#find(statement.set, statement.key);
        if (element !== undefined) found.push(element);
        return (element !== undefined) === (statement.isNegated !== true) ? "hold" : "break";
      }
      case "assign":
        return this.#assign(statement, found) ? "done" : "break";
      case "verdict-map": {
        const element = this.#find(statement.map, statement.key);
        if (element?.data === undefined || !("verdict" in element.data)) return "break";
        found.push(element);
        return flow(element.data.verdict);
      }
      case "dnat":
        return this.#translateDestination(statement, found);
      case "masquerade":
        return this.#translateSource(this.#walkable.environment.masqueradeAddress(this.#packet.destination));
      case "snat":
        return this.#translateSource(statement.address as IpAddress);
      case "dynamic":
        this.#update(statement);
        return "done";
      case "reject":
        if (statement.with === "tcp reset" && this.#packet.protocol !== "tcp") return "break";
        this.#rejectedWith = statement.with;
        return "reject";
      case "verdict":
        return flow(statement.verdict);
      default:
        return statement satisfies never;
    }
  }

  #holds(statement: Extract<Statement, { kind: "compare" | "one-of" }>): boolean {
    const { field } = statement;
    if (statement.kind === "one-of") {
      const isIn = statement.values.some((value) => isEqual(field, this.#read(field), value));
      return isIn === (statement.isNegated !== true);
    }
    const value = this.#read(field);
    const masked = statement.mask === undefined || typeof value !== "number" ? value : (value & statement.mask) >>> 0;
    return isEqual(field, masked, statement.value) === (statement.operator === "==");
  }

  #assign({ target, to }: Extract<Statement, { kind: "assign" }>, found: Element[]): boolean {
    const value = this.#assigned(target, to, found);
    if (value === undefined) return false;
    if (target === "mark") this.#mark = value;
    else this.#connectionMark = value;
    return true;
  }

  #assigned(
    target: "mark" | "ct mark",
    to: Extract<Statement, { kind: "assign" }>["to"],
    found: Element[],
  ): number | undefined {
    if ("constant" in to) return to.constant;
    if ("randomBelow" in to) return this.#input.choose?.(to.randomBelow) ?? 0;
    if ("orWith" in to) return ((target === "mark" ? this.#mark : this.#connectionMark) | to.orWith) >>> 0;
    const remembered = this.#readDynamic(to.map, to.key);
    if (remembered !== undefined) return remembered;
    const element = this.#find(to.map, to.key);
    if (element?.data === undefined || !("values" in element.data)) return undefined;
    found.push(element);
    return Number(element.data.values[0]);
  }

  #translateDestination({ key, map }: Extract<Statement, { kind: "dnat" }>, found: Element[]): "break" | "accept" {
    const element = ["tcp", "udp", "sctp"].includes(this.#packet.protocol) ? this.#find(map, key) : undefined;
    if (element?.data === undefined || !("values" in element.data)) return "break";
    found.push(element);
    const [address, port] = element.data.values;
    this.#packet = { ...this.#packet, destination: String(address) as IpAddress, destinationPort: Number(port) };
    this.#isDestinationTranslated = true;
    return "accept";
  }

  #translateSource(address: IpAddress): "accept" {
    this.#packet = { ...this.#packet, source: address };
    this.#isSourceTranslated = true;
    return "accept";
  }

  #update({ operation, set, key, data }: Extract<Statement, { kind: "dynamic" }>): void {
    const path = this.#pathOf(set);
    const text = this.#keyOf(key) ?? "";
    const value = operation === "delete" ? undefined : Number(data === undefined ? 0 : this.#read(data));
    this.#dynamic.set(`${path} ${text}`, value);
    this.#updates.push({ set, key: text, value });
  }

  #readDynamic(set: string, key: readonly Field[]): number | undefined {
    const path = this.#pathOf(set);
    const text = this.#keyOf(key);
    if (text === undefined) return undefined;
    const own = `${path} ${text}`;
    return this.#dynamic.has(own) ? this.#dynamic.get(own) : this.#walkable.environment.dynamic?.get(path)?.get(text);
  }

  #find(set: string, key: readonly Field[]): Element | undefined {
    const text = this.#keyOf(key);
    const elements = this.#walkable.elements.get(this.#pathOf(set));
    if (text === undefined || elements === undefined) return undefined;
    if (this.#skeleton?.sets.get(set)?.flags?.includes("interval") !== true) return elements.get(text);
    const values = key.map((field) => this.#read(field));
    return [...elements.values()].find((element) =>
      element.key.every((part, index) => isEqual(key[index] ?? "saddr", values[index], part)),
    );
  }

  #pathOf(set: string): string {
    const { family = "ip", table = "" } = this.#skeleton ?? {};
    return setPath({ family, table, set });
  }

  /** Undefined where the packet lacks a field, which then is in no set. */
  #keyOf(fields: readonly Field[]): string | undefined {
    const values = fields.map((field) => this.#read(field));
    return values.every((value) => value !== undefined) ? keyText(values) : undefined;
  }

  #read(field: Field): Value | undefined {
    const { environment } = this.#walkable;
    const { packet, interfaceName } = { packet: this.#packet, interfaceName: this.#input.interfaceName };
    switch (field) {
      case "saddr":
      case "saddr-low-96":
        return packet.source;
      case "daddr":
        return packet.destination;
      case "l4proto":
        return packet.protocol;
      case "sport":
        return packet.sourcePort;
      case "dport":
        return packet.destinationPort;
      case "mark":
        return this.#mark;
      case "ct mark":
        return this.#connectionMark;
      case "ct state":
        return this.#input.state ?? "new";
      case "ct direction":
        return this.#input.direction ?? "original";
      case "ct status":
        return this.#isDestinationTranslated ? "dnat" : "";
      case "iifname":
        return interfaceName ?? "";
      case "fib saddr type":
        return environment.addressType(packet.source);
      case "fib daddr type":
        return environment.addressType(packet.destination);
      case "fib saddr iif":
        return (environment.isReachedBy?.(packet.source, interfaceName ?? "") ?? true) ? 1 : 0;
      default:
        return field satisfies never;
    }
  }
}

function flow(verdict: Verdict): "accept" | "drop" | "return" | Extract<Verdict, { chain: string }> {
  return "chain" in verdict ? verdict : verdict.kind;
}

/** Nets hold addresses, and a link's name with a star those that begin so. */
function isEqual(field: Field, value: Value | undefined, expected: Value): boolean {
  if (typeof value !== "string" || typeof expected !== "string") return value === expected;
  if (expected.includes("/")) return cidrContains(expected as Cidr, value as IpAddress);
  if (field === "iifname" && expected.endsWith("*")) return value.startsWith(expected.slice(0, -1));
  return value === expected;
}
