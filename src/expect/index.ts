/**
 * What a scenario may expect of a call: waits on the timeline, measures by `measure/`, and says
 * what was heard instead. It takes no instant of its own.
 */
export {
  expectAnswered,
  expectDigits,
  expectHangUpByBot,
  expectRejected,
  expectUnanswered,
} from "./expect-call.ts";
export {
  expectAnswer,
  expectGreeting,
  expectHeard,
  expectKeepsSpeaking,
  expectStop,
} from "./expect-speech.ts";
export { expectToolCall } from "./expect-tool-call.ts";
export { expectWithin } from "./verdict-on-figure.ts";
