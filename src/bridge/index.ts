/**
 * The AI side of a call: provider-neutral sessions, the bot's tools, and the buffer that plays its
 * speech into the call. It knows nothing of SIP and RTP.
 */
export { AI_PROVIDERS, type AiProvider } from "./ai-providers.ts";
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
export {
  callTools,
  HANGUP_CALL_TOOL,
  SEND_DTMF_TOOL,
  type ToolHandlers,
  type TransferRequest,
  type TransferResult,
} from "./call-tools.ts";
export type { DrainOutcome, DrainRequest } from "./drain-waits.ts";
export type { GeminiActivityDetection, GeminiOptions } from "./gemini/gemini-options.ts";
export { geminiSession } from "./gemini/gemini-session.ts";
export type { HttpToolOptions } from "./http-policy.ts";
export { type HttpToolHost, httpTool } from "./http-tool.ts";
export {
  type FlushedResponse,
  InjectionBuffer,
  type InjectionBufferOptions,
  type PlayoutEvent,
  type PlayoutTotals,
} from "./injection-buffer.ts";
export type { LocalBargeInOptions } from "./local-barge-in.ts";
export type {
  OpenAiOptions,
  OpenAiTurnDetection,
} from "./openai/openai-options.ts";
export { openAiSession, openAiTokenSession } from "./openai/openai-session.ts";
export type { OpenAiAudioFormat } from "./openai/wire-format.ts";
export { parsePrices } from "./parse-prices.ts";
export {
  checkPlayout,
  type PlayoutSettings,
  type PreBuffer,
  type StallConcealment,
} from "./playout-settings.ts";
export { isLoopback, tokensUnsupported } from "./tokens/ephemeral-token.ts";
export { fetchToken, type MintRequest, mintToken, type TokenService } from "./tokens/mint.ts";
export { TokenCache } from "./tokens/token-cache.ts";
export { TokenDesk, type TokenDeskOptions } from "./tokens/token-desk.ts";
export { ToolRegistry } from "./tool-registry.ts";
export type { Tool, ToolArguments, ToolDefinition } from "./tools.ts";
export type { ModelPrice } from "./usage.ts";
export {
  HTTP_TOOL_SCHEMA,
  readToolModule,
  type ToolModule,
  type UserTool,
  type UserToolContext,
  userTools,
} from "./user-tools.ts";
