/**
 * What a scenario may expect of a call: waits on the timeline, measures by `measure/`, and says
 * what was heard instead. It takes no instant of its own.
 */

export {
  expectAiResumed,
  expectFault,
  expectLocalBargeIn,
  expectUninterrupted,
} from "./expect-ai.ts";
export {
  expectAiHeldUp,
  expectAiHeldUpAtMost,
  expectAiHeldUpInAllAtMost,
  expectAiNetworkLoss,
} from "./expect-ai-network.ts";
export {
  expectAnswered,
  expectHangUpByBot,
  expectRejected,
  expectUnanswered,
} from "./expect-call.ts";
export {
  expectConcealedAtMost,
  expectLossAtMost,
  expectNetworkLoss,
  expectRoundTrip,
  expectSipLoss,
} from "./expect-counts.ts";
export { expectEarlyMedia, expectRedirected, expectSessionRefresh } from "./expect-dialog.ts";
export { type ExpectedDigits, expectDigits } from "./expect-digits.ts";
export { expectEndAt, expectInjected, expectRepeated, requireInjected } from "./expect-faults.ts";
export {
  expectByeFrom,
  expectHeader,
  expectRejectedWith,
  type WantedHeader,
} from "./expect-headers.ts";
export { expectJudged, type JudgeParts } from "./expect-judgement.ts";
export { expectCodec, expectEncrypted, expectNotEncrypted } from "./expect-media.ts";
export { expectPassRate } from "./expect-pass-rate.ts";
export {
  type AudibleFault,
  expectEstimatedMos,
  expectNoFault,
  expectNoiseAtMost,
  expectSpeechLevel,
  expectWideband,
} from "./expect-quality.ts";
export {
  expectBound,
  expectRegistered,
  expectRegistrationRefused,
  expectUnregistered,
} from "./expect-registration.ts";
export {
  expectAnswer,
  expectGreeting,
  expectHeard,
  expectKeepsQuiet,
  expectKeepsSpeaking,
  expectStop,
} from "./expect-speech.ts";
export {
  awaitSpeechEnd,
  expectGapsAtMost,
  expectHeldAtMost,
  expectNoCatchUp,
  expectStallAtMost,
  expectStallsAtLeast,
  expectStallsAtMost,
} from "./expect-stalls.ts";
export { awaitTesterEnd, expectGoal, expectLimit, expectRule } from "./expect-tester.ts";
export {
  expectOptionsAnswer,
  expectText,
  expectTextOutside,
  type WantedOptionsAnswer,
  type WantedText,
} from "./expect-texts.ts";
export { expectToolCall } from "./expect-tool-call.ts";
export {
  type ExpectedRequest,
  expectHttpRequest,
  expectParallelTools,
  expectToolAnswer,
  expectToolFailure,
  expectToolOrder,
  expectToolSuccess,
} from "./expect-tools.ts";
export {
  type ExpectedOutcome,
  expectGoesOn,
  expectTalk,
  expectTransfer,
  expectTransferOutcome,
  expectTransferProgress,
  expectTransferredCall,
} from "./expect-transfer.ts";
export { expectReconnected, expectTransport, type WantedTransport } from "./expect-transport.ts";
export { expectUnsupported, requireSupported } from "./expect-unsupported.ts";
export { requireAiNetwork } from "./require-ai-network.ts";
export { expectWithin } from "./verdict-on-figure.ts";
