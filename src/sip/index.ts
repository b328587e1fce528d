/**
 * A SIP user agent over UDP, TCP, TLS and WebSocket: calls, OPTIONS, traces. It is built on sip.js's core (see
 * docs/adr/0002-sip-js.md), of which nothing shows. It knows nothing of audio; session descriptions
 * are the negotiator's business.
 */

export { isLoopback } from "./address-bits.ts";
export { DialPolicy } from "./dial-policy.ts";
export {
  checkDialogSettings,
  type DialogSettings,
  type ExtensionUse,
  type SessionTimerSettings,
} from "./dialog-settings.ts";
export type { SipCredentials } from "./digest-client.ts";
export type { DigestAlgorithm, QualityOfProtection } from "./digest-response.ts";
export type { DigestServerOptions } from "./digest-server.ts";
export {
  DTMF_RELAY_TYPE,
  DTMF_TYPE,
  type DtmfInfo,
  parseDtmfInfo,
  writeDtmf,
  writeDtmfRelay,
} from "./dtmf-info.ts";
export type {
  CallLedger,
  SipEndpointOptions,
  SipFaultCounts,
  SipLiveState,
} from "./endpoint-options.ts";
export { ANONYMOUS, type InviteIdentity } from "./invite-identity.ts";
export { locateTarget } from "./locate-target.ts";
export type { MessageAlteration } from "./message-alterations.ts";
export type { FaultEffect, InjectedFault, MessageFault } from "./message-faults.ts";
export type { Demand } from "./message-intake.ts";
export { FAULTS, type FaultyMessage } from "./named-faults.ts";
export type { OptionsReply } from "./options-answer.ts";
export type { CallOptions } from "./outbound-call.ts";
export type { OptionsAnswer } from "./peer-capabilities.ts";
export { redactMessage } from "./redact.ts";
export { contactHeaders } from "./redirect-contacts.ts";
export { type RefusedNumber, refusedNumber } from "./refused-numbers.ts";
export type { RegistrationGrant } from "./register-reply.ts";
export type { Binding, Registrar, RegistrarOptions } from "./registrar.ts";
export type { Registration, RegistrationOptions } from "./registration.ts";
export type {
  RegistrationEvent,
  RegistrationState,
  RegistrationTimes,
} from "./registration-engine.ts";
export type { Renegotiation } from "./renegotiation.ts";
export { type DialogIdentity, type NamedDialog, replacesText } from "./replaces.ts";
export { checkedHeaders } from "./request-headers.ts";
export type {
  CallEndedEvent,
  CallEndReason,
  CallProgressEvent,
  InboundCall,
  InfoAnswer,
  InfoListener,
  Negotiator,
  OutboundCall,
  ReceivedInfo,
  RedirectContact,
  SessionTimerEvent,
  SipCall,
  SipCallEvent,
} from "./sip-call.ts";
export { SipEndpoint } from "./sip-endpoint.ts";
export type { SipBinding, SipSettings, SipTlsSettings } from "./sip-settings.ts";
export type { SipTrace } from "./sip-trace.ts";
export type { MessageAnswer, MessageListener, ReceivedMessage } from "./text-exchange.ts";
export type {
  ReceivedRefer,
  ReferDecision,
  ReferListener,
  ReferRequest,
  ReportStatus,
  TransferOutcome,
  TransferProgress,
} from "./transfer.ts";
export type { SipTransport } from "./transport-name.ts";
