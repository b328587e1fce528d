import type { Instant } from "../environment/index.ts";
import type {
  AiStallFact,
  Fact,
  NetworkChangedFact,
  PacketFates,
  ReceivedAudioWork,
  TcpWork,
} from "../timeline/index.ts";
import { factsOf } from "./facts-of.ts";
import { optional } from "./optional.ts";

/** What the injured network to or from the AI held up, of one direction. */
export interface AiStallFigures {
  readonly count: number;
  /** The longest; 0 where there was none. */
  readonly longestMs: number;
  /** Of all together. */
  readonly totalMs: number;
  /** What they waited for (`StallCause`), the most frequent first. */
  readonly causes: readonly string[];
}

/** One direction of the network between a bot and its AI. */
export interface AiPathDirection {
  /** Missing while the call is up: packets are counted to its end. */
  readonly packets?: PacketFates;
  /** Missing where nobody looked: routers of the kernel's TCP (nft, netem) do not. */
  readonly stalls?: AiStallFigures;
  /** Of TCP, where it is known. */
  readonly tcp?: TcpWork;
  /** Of UDP: what its receiver made of the audio. */
  readonly audio?: ReceivedAudioWork;
}

/** The injured network between a bot of ours and its AI: to the AI is sent, from it received. */
export interface AiPathMetrics {
  /** What carries it (`AiTransport`). */
  readonly transport: string;
  /** Of the kernel's TCP: what injured its packets (`KernelBackend`). */
  readonly backend?: string;
  /** TCP was a model, and so is every figure of this path. */
  readonly isModelled: boolean;
  /** What it was asked to be, in words, and since when. */
  readonly plans: readonly { readonly at: Instant; readonly description: string }[];
  readonly sent: AiPathDirection;
  readonly received: AiPathDirection;
}

/** Missing where nothing was put between the bot and its AI (docs/measurements.md). */
export function measureAiPath(facts: readonly Fact[]): AiPathMetrics | undefined {
  const changed = factsOf(facts, "networkChanged", "bot").filter(({ leg }) => leg === "ai");
  const [first] = changed;
  if (first?.transport === undefined) return undefined;
  const { transport, backend } = first;
  return {
    transport,
    ...optional("backend", backend),
    isModelled: transport === "tcp-modelled",
    plans: changed.map(({ at, description }) => ({ at, description })),
    sent: directionOf(facts, "sent", first),
    received: directionOf(facts, "received", first),
  };
}

/** What carries a path, for people. */
export function carrierWords({
  transport,
  backend,
}: Pick<AiPathMetrics, "transport" | "backend">): string {
  const words = CARRIER_WORDS[transport] ?? transport;
  return backend === undefined || backend === "hub" ? words : `${words} through ${backend}`;
}

const CARRIER_WORDS: Readonly<Record<string, string>> = {
  "tcp-modelled": "TCP, modelled",
  "tcp-kernel": "TCP, kernel",
  udp: "UDP",
};

function directionOf(
  facts: readonly Fact[],
  direction: AiStallFact["direction"],
  { backend = "hub" }: NetworkChangedFact,
): AiPathDirection {
  const counts = factsOf(facts, "networkCounts", "bot").find(({ leg }) => leg === "ai");
  return {
    ...optional("packets", counts?.[direction]),
    ...optional("stalls", backend === "hub" ? stallsOf(facts, direction) : undefined),
    ...optional("tcp", counts?.tcp?.[direction]),
    ...optional("audio", counts?.audio?.[direction]),
  };
}

/** Stalls of the AI's leg, each of 40 ms and more. */
function stallsOf(facts: readonly Fact[], direction: AiStallFact["direction"]): AiStallFigures {
  const stalls = factsOf(facts, "aiStall", "bot").filter((stall) => stall.direction === direction);
  const counts = new Map<string, number>();
  for (const cause of stalls.flatMap(({ causes }) => causes)) {
    counts.set(cause, (counts.get(cause) ?? 0) + 1);
  }
  const causes = [...counts].toSorted(([, one], [, other]) => other - one);
  return {
    count: stalls.length,
    longestMs: Math.max(0, ...stalls.map(({ overdueMs }) => overdueMs)),
    totalMs: stalls.reduce((sum, { overdueMs }) => sum + overdueMs, 0),
    causes: causes.map(([cause]) => cause),
  };
}
