import type {
  CallArtifacts,
  EmbeddedAi,
  Harness,
  RemoteAgent,
  WatchedCall,
} from "../call/index.ts";
import type { Instant } from "../environment/index.ts";
import {
  type CallRecord,
  measureCall,
  STATED_ERROR_MS,
  type ToolCallMetrics,
} from "../measure/index.ts";
import type { FigureError, FigureName } from "../report/index.ts";
import type { Fact, Party } from "../timeline/index.ts";
import { type CapturedUdp, readCapture } from "./captured-packets.ts";

/** One thing that the script `reference` does when it is asked to. */
interface ToolTruth {
  readonly phrase: string;
  readonly tool: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** What the caller's socket must get, as it begins: a SIP request, or telephone keys. */
  readonly request?: "BYE" | "REFER";
  readonly digits?: string;
}

/** What the script says, told once more: a figure that agrees with neither is found. */
const TRUTHS: readonly ToolTruth[] = [
  {
    phrase: "dial-four-two",
    tool: "send_dtmf",
    arguments: { digits: "42" },
    digits: "42",
  },
  {
    phrase: "front-desk-please",
    tool: "transfer_call",
    arguments: { destination: "desk" },
    request: "REFER",
  },
  { phrase: "please-hang-up", tool: "hangup_call", arguments: {}, request: "BYE" },
];

/** A bot with an AI that knows its script, and somebody whom it can transfer to. */
export interface ToolParts {
  readonly harness: Harness;
  readonly caller: RemoteAgent;
  readonly bot: RemoteAgent;
}

const LOCAL = { address: "127.0.0.1", port: 0 };
const EFFECT_LIMIT_MS = 15_000;
const END_LIMIT_MS = 5000;

/** Opens the bot, its AI and the desk. */
export async function openToolBot(
  harness: Harness,
  scriptPath: string,
): Promise<{ readonly bot: RemoteAgent; close(): Promise<void> }> {
  const ai: EmbeddedAi = await harness.startEmbeddedAi({ scriptPath });
  const desk = await harness.addAgent({
    party: "bot",
    user: "desk",
    local: LOCAL,
    answer: { kind: "answer", ringMs: 0 },
  });
  const bot = await harness.addAgent({
    party: "bot",
    user: "tools",
    local: LOCAL,
    answer: { kind: "answer", ringMs: 0, destinations: { desk: desk.uri } },
    ai: {
      provider: "openai",
      url: ai.url,
      apiKey: ai.apiKey,
      model: "gpt-realtime",
      turnDetection: { type: "server_vad", silenceDurationMs: 300 },
      greets: false,
    },
  });
  const close = async (): Promise<void> => {
    await harness.endCalls();
    await Promise.all([bot.close(), desk.close()]);
    await ai.close();
  };
  return { bot, close };
}

/**
 * Calls it so many times for each tool, all at once: whether call, arguments and effect were seen as
 * they were.
 */
export async function toolErrors(parts: ToolParts, times: number): Promise<FigureError[]> {
  const truths = Array.from({ length: times }, () => TRUTHS).flat();
  const calls = await Promise.all(truths.map((truth) => placeToolCall(parts, truth)));
  // Whoever was transferred talks to the desk still.
  await parts.harness.endCalls();
  const errors: FigureError[] = [];
  for (const [index, truth] of truths.entries()) {
    // oxlint-disable-next-line no-await-in-loop -- one recording in memory at a time.
    errors.push(...(await judge(calls[index] as WatchedCall, truth)));
  }
  return errors;
}

async function placeToolCall(
  { harness, caller, bot }: ToolParts,
  truth: ToolTruth,
): Promise<WatchedCall> {
  const call = await caller.dial(bot.uri);
  await call.waitFor((fact) => fact.kind === "mediaStarted" && fact.party === "caller", 5000);
  if (call.hasEnded) return call;
  await harness.say(call, { phrase: truth.phrase });
  await call.waitFor(isEffect(truth, call), EFFECT_LIMIT_MS);
  await call.whenEnded(truth.request === undefined ? 0 : END_LIMIT_MS);
  await harness.endCalls([call]);
  return call;
}

/** Only ends the wait: what is judged is the capture. */
function isEffect({ request, digits }: ToolTruth, call: WatchedCall): (fact: Fact) => boolean {
  return (fact) => {
    if (fact.party !== "caller") return false;
    if (fact.kind === "callPhase" && fact.phase === "ended") return true;
    if (digits !== undefined) return receivedDigits(call.timeline.facts).length >= digits.length;
    return fact.kind === "sipMessage" && fact.direction === "received" && fact.method === request;
  };
}

async function judge(call: WatchedCall, truth: ToolTruth): Promise<FigureError[]> {
  const artifacts = await call.artifacts();
  const record = call.recordOf(artifacts);
  const metrics = measureCall(record);
  await call.release();
  // Words that a busy machine tore apart are not understood: then there is nothing to be seen.
  if (!wasCalled(truth.tool, artifacts.get("bot")?.aiEvents ?? "")) return [];
  const [seen, second] = metrics.toolCalls;
  const isEffective =
    truth.request === undefined
      ? seen?.digits === truth.digits && receivedDigits(record.facts) === truth.digits
      : isOnWire(seen?.effectReceivedAt, truth.request, capturedBy(record, artifacts));
  const isExact = second === undefined && isCalled(seen, truth) && isEffective;
  const refer = truth.request === "REFER" ? [found("refer", isEffective)] : [];
  return [found("toolCall", isExact), ...refer];
}

/** What was called, and whether it crossed the wire, is no matter of time. */
function found(figure: FigureName, isSeen: boolean): FigureError {
  return {
    figure,
    ...(isSeen ? { errorMs: 0 } : {}),
    statedErrorMs: STATED_ERROR_MS,
    isHealthy: true,
    isUncertain: false,
    hasLostEdge: false,
  };
}

/** Whether the AI called the tool, by what it sent, not by what was made of it. */
function wasCalled(tool: string, aiEvents: string): boolean {
  return aiEvents
    .split("\n")
    .some(
      (line) =>
        line.includes('"direction":"received"') &&
        line.includes('"function_call"') &&
        line.includes(`"${tool}"`),
    );
}

function isCalled(seen: ToolCallMetrics | undefined, truth: ToolTruth): boolean {
  return (
    seen?.name === truth.tool &&
    seen.outcome === "effect" &&
    JSON.stringify(seen.arguments) === JSON.stringify(truth.arguments)
  );
}

/** What crossed the caller's socket. */
function capturedBy(
  record: CallRecord,
  artifacts: ReadonlyMap<Party, CallArtifacts>,
): readonly CapturedUdp[] {
  const first = record.facts.find(({ kind, party }) => kind === "sipMessage" && party === "caller");
  const pcap = artifacts.get("caller")?.pcap;
  return first === undefined || pcap === undefined ? [] : readCapture(pcap, first.at);
}

/** Whether the effect was seen when the request came, to the millisecond. */
function isOnWire(
  seenAt: Instant | undefined,
  request: string,
  captured: readonly CapturedUdp[],
): boolean {
  const decoder = new TextDecoder();
  const message = captured.find(({ payload }) =>
    decoder.decode(payload.subarray(0, request.length + 1)).startsWith(`${request} `),
  );
  return message !== undefined && seenAt !== undefined && Math.abs(seenAt - message.at) < 1;
}

function receivedDigits(facts: readonly Fact[]): string {
  return facts
    .flatMap((fact) =>
      fact.kind === "digit" && fact.party === "caller" && fact.direction === "received"
        ? [fact.digit]
        : [],
    )
    .join("");
}
