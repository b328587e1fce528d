import type { SocketAddress } from "../environment/index.ts";
import type { NetworkPlan } from "../impairment/index.ts";
import type { Utterance } from "../media/index.ts";
import type {
  OptionsAnswer,
  ReceivedMessage,
  RegistrationEvent,
  RegistrationOptions,
  SipCredentials,
  SipEndpoint,
  TransferOutcome,
} from "../sip/index.ts";
import type { Fact } from "../timeline/index.ts";
import type { AgentOptions, AnswerPolicy, DialOptions } from "./agent-options.ts";
import type { BindingsEvent } from "./bindings-watch.ts";
import type { Call, KeyPress, MediaChange, NetworkLeg } from "./call.ts";
import type { CallArtifacts, CallIdentity } from "./call-artifacts.ts";
import type { TransferOrder, TransferPolicy } from "./call-transfers.ts";

/** What happens at an agent, told as it happens. */
export type AgentNotice =
  | { readonly type: "call"; readonly identity: CallIdentity }
  | { readonly type: "fact"; readonly callId: string; readonly fact: Fact }
  | { readonly type: "bindings"; readonly event: BindingsEvent }
  | { readonly type: "message"; readonly message: ReceivedMessage }
  | { readonly type: "registration"; readonly event: RegistrationEvent }
  | { readonly type: "ended"; readonly callId: string };

/** A verb that concerns one call. */
interface OfCall {
  readonly callId: string;
}

/** The verbs of an agent, as another thread calls them. */
export type AgentProcedures = {
  open(options: AgentOptions): Promise<{ readonly uri: string; readonly local: SocketAddress }>;
  answerWith(policy: AnswerPolicy): void | Promise<void>;
  changeSipNetwork(plan: NetworkPlan): void | Promise<void>;
  useCredentials(accounts: readonly SipCredentials[]): void | Promise<void>;
  /** Resolves with the address to be reached at. */
  register(options: RegistrationOptions): Promise<string>;
  unregister(nothing: undefined): Promise<void>;
  sendMessage(request: { readonly target: string; readonly text: string }): Promise<void>;
  queryOptions(request: { readonly target: string }): Promise<OptionsAnswer>;
  dial(request: { readonly target: string; readonly options: DialOptions }): Promise<CallIdentity>;
  say(request: OfCall & { readonly utterance: Utterance }): void | Promise<void>;
  sendText(request: OfCall & { readonly text: string }): Promise<void>;
  queryOptionsInCall(request: OfCall): Promise<OptionsAnswer>;
  /** Says whether there was one to break. */
  breakConnections(request: OfCall): boolean | Promise<boolean>;
  press(request: OfCall & KeyPress): Promise<void>;
  changeMedia(request: OfCall & { readonly change: MediaChange }): Promise<void>;
  changeNetwork(
    request: OfCall & { readonly plan: NetworkPlan; readonly leg?: NetworkLeg },
  ): void | Promise<void>;
  treatTransfers(policy: TransferPolicy): void | Promise<void>;
  transfer(request: OfCall & TransferOrder): Promise<TransferOutcome>;
  dialog(request: OfCall): ReturnType<Call["dialog"]> | Promise<ReturnType<Call["dialog"]>>;
  hangUp(request: OfCall & { readonly headers?: readonly string[] }): Promise<void>;
  artifacts(request: OfCall): CallArtifacts | Promise<CallArtifacts>;
  forget(request: OfCall): void | Promise<void>;
  liveState(nothing: undefined): SipEndpoint["liveState"] | Promise<SipEndpoint["liveState"]>;
  close(nothing: undefined): Promise<void>;
};
