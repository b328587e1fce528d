/**
 * The embedded realtime AI: one engine that hears, decides by a script and speaks, and a face that
 * speaks the OpenAI Realtime protocol. It knows nothing of SIP, of RTP or of calls.
 */
export type { Faults } from "./engine/faults.ts";
export type { ServerEvent } from "./engine/server-event.ts";
export {
  RealtimeServer,
  type RealtimeServerChanges,
  type RealtimeServerOptions,
  type SecureListening,
} from "./realtime-server.ts";
export { parseScript } from "./script/parse-script.ts";
export type { Pacing, Range, Script, ScriptTool, ScriptTurn } from "./script/script.ts";
export type {
  SpeechRecogniser,
  SpeechSynthesiser,
  SynthesisedSpeech,
} from "./speech/plug-ins.ts";
export { withSynthesisedSpeech } from "./speech/synthesised-voices.ts";
