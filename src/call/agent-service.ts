import type { Channel, Environment, SocketAddress } from "../environment/index.ts";
import { UsageError } from "../environment/index.ts";
import type { Utterance } from "../media/index.ts";
import type { SipEndpoint } from "../sip/index.ts";
import type { Fact } from "../timeline/index.ts";
import { Agent, type Instrument } from "./agent.ts";
import type { AgentOptions, AnswerPolicy, DialOptions } from "./agent-options.ts";
import type { Call } from "./call.ts";
import type { CallArtifacts, CallIdentity } from "./call-artifacts.ts";
import { serveProcedures } from "./remote-procedures.ts";

/** What happens at an agent, told as it happens. */
export type AgentNotice =
  | { readonly type: "call"; readonly identity: CallIdentity }
  | { readonly type: "fact"; readonly callId: string; readonly fact: Fact }
  | { readonly type: "ended"; readonly callId: string };

/** A verb that concerns one call. */
interface OfCall {
  readonly callId: string;
}

/** The verbs of an agent, as another thread calls them. */
export type AgentProcedures = {
  open(options: AgentOptions): Promise<{ readonly uri: string; readonly local: SocketAddress }>;
  answerWith(policy: AnswerPolicy): void;
  dial(request: { readonly target: string; readonly options: DialOptions }): Promise<CallIdentity>;
  say(request: OfCall & { readonly utterance: Utterance }): void;
  press(request: OfCall & { readonly digits: string }): Promise<void>;
  hangUp(request: OfCall): Promise<void>;
  artifacts(request: OfCall): CallArtifacts;
  forget(request: OfCall): void;
  liveState(nothing: undefined): SipEndpoint["liveState"];
  close(nothing: undefined): Promise<void>;
};

/**
 * Serves one agent to the other end of `channel`: the body of an agent's thread.
 * @returns ends the agent's calls and gives its ports back.
 */
export function serveAgent(
  channel: Channel,
  environment: Environment,
  instrument?: Instrument,
): () => Promise<void> {
  let opened: Agent | undefined;
  const agent = (): Agent => {
    if (opened === undefined) throw new Error("Bug: the agent is used before it is open.");
    return opened;
  };
  const close = async (): Promise<void> => {
    await opened?.close();
  };
  const callNamed = (callId: string): Call => {
    const call = agent().call(callId);
    if (call !== undefined) return call;
    throw new UsageError("ERR_CALL_UNKNOWN", "This call is not, or no longer, known here.", {
      context: { callId },
    });
  };
  const procedures: AgentProcedures = {
    open: async (options) => {
      const observer = {
        onCall: (identity: CallIdentity) => notify({ type: "call", identity }),
        onFact: (callId: string, fact: Fact) => notify({ type: "fact", callId, fact }),
        onEnded: (callId: string) => notify({ type: "ended", callId }),
      };
      opened = await Agent.open(environment, options, {
        observer,
        ...(instrument === undefined ? {} : { instrument }),
      });
      return { uri: opened.uri, local: opened.local };
    },
    answerWith: (policy) => agent().answerWith(policy),
    dial: async ({ target, options }) => (await agent().dial(target, options)).identity,
    say: ({ callId, utterance }) => callNamed(callId).say(utterance),
    press: ({ callId, digits }) => callNamed(callId).press(digits),
    hangUp: ({ callId }) => callNamed(callId).hangUp(),
    artifacts: ({ callId }) => callNamed(callId).artifacts(),
    forget: ({ callId }) => agent().forget(callId),
    liveState: () => agent().liveState,
    close: () => close(),
  };
  const send = serveProcedures(channel, procedures);
  const notify = (notice: AgentNotice): void => send(notice);
  return close;
}
