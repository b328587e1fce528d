import type { ReceivedMessage, RegistrationEvent } from "../sip/index.ts";
import type { BindingsEvent } from "./bindings-watch.ts";
import type { CallObserver } from "./call.ts";
import type { CallIdentity } from "./call-artifacts.ts";

/** Who follows an agent and its calls. */
export interface AgentObserver extends CallObserver {
  /** A call exists from now on; its facts follow. */
  onCall(identity: CallIdentity): void;
  /** A text came outside of calls. */
  onMessage?(message: ReceivedMessage): void;
  /** Somebody registered, or asked, at it as registrar. */
  onBindings?(event: BindingsEvent): void;
  /** Its registration changed, was refreshed or could not be. */
  onRegistration?(event: RegistrationEvent): void;
}
