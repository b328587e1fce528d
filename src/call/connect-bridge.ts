import { Bridge, type PlayoutSettings } from "../bridge/index.ts";
import { type Environment, RemoteError, type SidetoneError } from "../environment/index.ts";
import type { FactDraft } from "../timeline/index.ts";
import type { AiOptions } from "./agent-options.ts";
import { AiLeg } from "./ai-leg.ts";
import { aiSessionOf } from "./ai-session-of.ts";
import type { BotTools } from "./bot-tools.ts";
import { type BotTransferHost, transferByTool } from "./bot-transfer.ts";
import type { Call } from "./call.ts";
import type { CallTrace } from "./call-trace.ts";

/** A call that is to be joined to an AI. */
export interface BridgedCall {
  readonly call: Call;
  readonly trace: CallTrace;
  readonly transfers: BotTransferHost;
  readonly tools: BotTools;
  /** See `HttpToolHost`. */
  readonly httpStandIns: Readonly<Record<string, string>>;
}

/**
 * Connects a call to its AI; resolves when the AI is ready to listen and to speak.
 *
 * When the AI goes away later, the call is hung up: a bot without its AI has nothing to say.
 * @throws EnvironmentError ERR_AI_UNREACHABLE, ERR_AI_UNAUTHORIZED; RemoteError ERR_AI_CLOSED,
 *   ERR_AI_STALLED; UsageError as `openAiPath`; EnvironmentError ERR_NAMESPACE_GONE.
 */
export async function connectBridge(
  outside: Environment,
  ai: AiOptions,
  { call, trace, transfers, tools, httpStandIns }: BridgedCall,
): Promise<void> {
  const { environment, leg } = await AiLeg.open(outside, ai, call.record);
  if (leg !== undefined) call.attachAiLeg(leg);
  const registry = tools.registryFor({
    callId: call.callId,
    handlers: {
      hangUp: () => call.hangUp(),
      sendDigits: (digits) => call.press({ digits }),
      transfer: (request) => transferByTool(call, request, transfers),
    },
    destinations: Object.keys(transfers.destinations),
    httpStandIns,
  });
  const direct = aiSessionOf(environment, ai, registry.definitions);
  const session = leg?.through(direct) ?? direct;
  await new Promise<void>((resolve, reject) => {
    const record = (fact: FactDraft): void => {
      call.record(fact);
      if (fact.kind === "aiSession" && fact.event === "ready") resolve();
    };
    const bridge = new Bridge({
      session,
      tools: registry,
      ...(ai.localBargeIn === undefined ? {} : { localBargeIn: ai.localBargeIn }),
      ...playoutOf(ai),
      record,
      clock: environment.clock,
      ...(ai.prices === undefined ? {} : { prices: ai.prices }),
      logger: environment.logger,
      onAiEvent: (json, direction, at) => trace.addAiEvent(json, direction, at),
    });
    const lose = (error: SidetoneError): void => {
      reject(error);
      call.loseAi(error);
    };
    bridge.onClosed = ({ code, error }) => lose(error ?? closedInCall(code));
    if (leg !== undefined) leg.onFailed = lose;
    call.attachBridge(bridge, () => session.requestResponse());
  });
}

/** Speech that comes as it is spoken needs a frame in hand: its clock is not the one of the call. */
const REAL_TIME_HOLD_MS = 40;

function playoutOf({ playout, network }: AiOptions): { readonly playout?: PlayoutSettings } {
  const hold = { preBuffer: { kind: "fixed", delayMs: REAL_TIME_HOLD_MS } } as const;
  if (network?.transport === "udp") return { playout: { ...hold, ...playout } };
  return playout === undefined ? {} : { playout };
}

function closedInCall(code: number): RemoteError {
  return new RemoteError(
    "ERR_AI_CLOSED",
    `The AI closed its connection (code ${code}) in the call.`,
    { context: { code } },
  );
}
