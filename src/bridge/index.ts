/**
 * The AI side of a call: provider-neutral sessions, the bot's tools, and the buffer that plays its
 * speech into the call. It knows nothing of SIP and RTP.
 */
export type {
  AiAudioEvent,
  AiErrorEvent,
  AiEvent,
  AiSession,
  AiToolCallEvent,
  AiTurnDoneEvent,
  AiUsageEvent,
  WireDirection,
  WireTap,
} from "./ai-session.ts";
export { Bridge, type BridgeEnd, type BridgeOptions } from "./bridge.ts";
export type { DrainOutcome, DrainRequest } from "./drain-waits.ts";
export type { GeminiActivityDetection, GeminiOptions } from "./gemini/gemini-options.ts";
export { geminiSession } from "./gemini/gemini-session.ts";
export {
  type FlushedResponse,
  InjectionBuffer,
  type InjectionBufferOptions,
  type PlayoutEvent,
  type PlayoutTotals,
} from "./injection-buffer.ts";
export type {
  OpenAiOptions,
  OpenAiTurnDetection,
} from "./openai/openai-options.ts";
export { openAiSession } from "./openai/openai-session.ts";
export type { OpenAiAudioFormat } from "./openai/wire-format.ts";
export {
  HANGUP_CALL_TOOL,
  SEND_DTMF_TOOL,
  type ToolDefinition,
  type ToolHandlers,
  type TransferRequest,
  type TransferResult,
  transferCallTool,
} from "./tools.ts";
