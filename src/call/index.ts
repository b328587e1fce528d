/**
 * Agents and their calls: joins SIP, media and AI bridge into calls, in threads of their own, and
 * lets a run watch and steer them. It owns no protocol and computes no figure.
 */

export { Agent } from "./agent.ts";
export type { AgentObserver } from "./agent-observer.ts";
export type {
  AgentOptions,
  AiOptions,
  AnswerPolicy,
  DialOptions,
  EarlyMedia,
  TesterOptions,
  TurnDetection,
} from "./agent-options.ts";
export type { AgentNotice, AgentProcedures } from "./agent-procedures.ts";
export { type AgentHost, serveAgent } from "./agent-service.ts";
export type { BotToolOptions } from "./bot-tools.ts";
export { Call, type CallObserver } from "./call.ts";
export type { CallArtifacts, CallIdentity } from "./call-artifacts.ts";
export { CallBudget, type CallLimits, type DialRules, limitsIn } from "./call-budget.ts";
export {
  CallJournal,
  type JournalFile,
  type LeftOverCall,
  leftOverCalls,
  leftOverText,
} from "./call-journal.ts";
export type { TransferOrder, TransferPolicy } from "./call-transfers.ts";
export { Harness, type HarnessBounds, type HarnessParts, type Speech } from "./harness.ts";
export type { Instrument } from "./instrument-watch.ts";
export { type LeftCall, leaveCallFolder } from "./leave-call-folder.ts";
export {
  EmbeddedAi,
  type EmbeddedAiChanges,
  type EmbeddedAiOptions,
  type ServerFaults,
  type SpeechPlugIns,
  serveRealtimeServer,
} from "./realtime-service.ts";
export type { RegistrationWatch } from "./registration-watch.ts";
export { RemoteProcedures, serveProcedures, THREAD_MESSAGES } from "./remote-procedures.ts";
export type { StandInAnswer, StandInRequest, StandInServer } from "./stand-in-server.ts";
export { type RemoteAgent, Switchboard } from "./switchboard.ts";
export { testerProviderIn } from "./tester-provider.ts";
export { type RunContext, WatchedCall } from "./watched-call.ts";
