import type { Instant } from "../environment/index.ts";
import type { JudgementFact, Party, TesterFact } from "../timeline/index.ts";
import type { AiPathMetrics } from "./ai-path.ts";
import type { QualityMetrics } from "./call-quality.ts";
import type { EdgeDisagreement } from "./confirmed-pieces.ts";
import type { DelayMetrics, EchoMetrics } from "./delay-metrics.ts";
import type { Certainty, Doubt } from "./doubts.ts";
import type { LatencyPart } from "./latency-parts.ts";
import type { PlayoutMetrics } from "./stalls.ts";
import type { TimeSpan } from "./time-spans.ts";
import type { UnsteadySpan } from "./unsteady.ts";

/** The version of `metrics.json`; raised when a figure changes its meaning. */
export const METRICS_VERSION = 1;

/** What the caller said once. */
export interface CallerTurn {
  /** Of the scripted utterance; made up ("heard-1") where only the audio tells of it. */
  readonly utteranceId: string;
  readonly fixture?: string;
  readonly purpose: "speech" | "interruption" | "backchannel" | "vocalTic" | "sideSpeech";
  readonly onsetAt: Instant;
  readonly offsetAt: Instant;
  /** `script`: known truth; `audio`: found by the detector. */
  readonly source: "script" | "audio";
  /** Detector minus script at onset and offset, where the utterance was found in the audio. */
  readonly audioDisagreementMs?: { readonly onset: number; readonly offset: number };
  /** Its edges are not known well enough to count what follows from them. */
  readonly uncertain: boolean;
  readonly doubt?: Doubt;
  /** Of its edges, where no script knows them. */
  readonly uncertaintyMs?: number;
}

/** A stretch of the bot's speech, pauses below 300 ms bridged. */
export interface BotSegment extends TimeSpan {
  readonly responseId?: string;
  readonly uncertaintyMs: number;
  /**
   * Detected in what was heard minus located by what was sent, for an edge where the two contradict
   * each other: by more than 40 ms, and more than their uncertainties.
   */
  readonly disagreementMs?: EdgeDisagreement;
}

/** One answer of the bot: segments that belong together, pauses included. */
export interface BotTurn extends TimeSpan {
  readonly responseId?: string;
  readonly segments: readonly BotSegment[];
}

/** The parts of a response latency, in order. */
export type ResponsePart =
  | "networkThere"
  | "turnDetection"
  | "model"
  | "injection"
  | "leadingSilence"
  | "delivery";

/** One turn of the caller and the bot's answer to it. */
export interface TurnMetrics {
  readonly utteranceId: string;
  readonly purpose: "speech" | "interruption";
  readonly callerOnsetAt: Instant;
  readonly callerOffsetAt: Instant;
  /** `toolOnly`: no speech, but a tool call. `missed`: neither before the caller spoke again. */
  readonly outcome: "answered" | "toolOnly" | "missed";
  /** From the offset to the caller's next onset or the end of the call: how long there was. */
  readonly roomMs: number;
  /** A tool was called before the answer had been heard out; such turns are reported apart. */
  readonly withToolCall: boolean;
  readonly botOnsetAt?: Instant;
  readonly responseId?: string;
  /** Bot onset heard − caller offset; negative where they overlap. */
  readonly responseLatencyMs?: number;
  /** First output audio − the AI's speech-stopped, by the AI's own events. */
  readonly claimedLatencyMs?: number;
  /** Handing over the last audio that the AI counted in → its speech-stopped event. */
  readonly aiReactionMs?: number;
  /** Adds up to `responseLatencyMs`; empty where nothing is known of the bot's inside. */
  readonly parts: readonly LatencyPart<ResponsePart>[];
  /** The bot's onset as detected minus as located by what it sent, where the two contradict. */
  readonly botOnsetDisagreementMs?: number;
  /** Not counted in percentiles, and why. */
  readonly uncertain: boolean;
  readonly doubt?: Doubt;
  /** The latency lies within ± this in 95 % of cases. */
  readonly uncertaintyMs: number;
}

/** The parts of a barge-in stop, in order. */
export type StopPart = "detection" | "flush" | "tail";

/** What the bot did when the caller interrupted it. */
export interface BargeInMetrics {
  readonly utteranceId: string;
  readonly onsetAt: Instant;
  /**
   * `yielded` within 2.0 s · `noYield` · `finished` it had said all, so nothing was cut off ·
   * `callEnded` the call ended first · `notSpeaking` nothing to interrupt. Only the first two count.
   */
  readonly outcome: "yielded" | "noYield" | "finished" | "callEnded" | "notSpeaking";
  readonly responseId?: string;
  readonly stoppedAt?: Instant;
  /** Last bot speech sample heard − onset of the interruption. */
  readonly stopLatencyMs?: number;
  readonly parts: readonly LatencyPart<StopPart>[];
  /** Speech of the response heard after it was cut off and had paused; needs the bot's facts. */
  readonly staleSpeechMs?: number;
  /** Onset of the new answer − offset of the interruption; how far it is known, its turn says. */
  readonly responseLatencyMs?: number;
  /** Whether the stop is counted, and if not, why. */
  readonly uncertain: boolean;
  readonly doubt?: Doubt;
  /** The stop latency lies within ± this in 95 % of cases; missing in metrics of older versions. */
  readonly uncertaintyMs?: number;
}

/** Why the caller could be heard without wanting anything of the bot. */
export type AsidePurpose = "backchannel" | "vocalTic" | "sideSpeech";

/**
 * What the bot did when the caller was to be heard, but wanted nothing of it: a sign of listening, a
 * cough or "um", words for somebody else.
 */
export interface BackchannelMetrics {
  readonly utteranceId: string;
  readonly purpose: AsidePurpose;
  readonly onsetAt: Instant;
  /**
   * `falseStop` (an error): it stopped within 1.0 s. Where the bot was silent, words for somebody
   * else are `ignored`, or `answered` (an error) within 2.0 s. Only these and `keptTalking` count.
   */
  readonly outcome:
    | "keptTalking"
    | "falseStop"
    | "ignored"
    | "answered"
    | "finished"
    | "callEnded"
    | "notSpeaking";
  readonly stopLatencyMs?: number;
  /** Whether the outcome is counted, and if not, why. */
  readonly uncertain: boolean;
  readonly doubt?: Doubt;
  /** As of a barge-in. */
  readonly uncertaintyMs?: number;
}

/** What a tool call does on the wire. */
export type WireEffect = "bye" | "refer" | "digits";

/** A tool call and its effect on the SIP leg. */
export interface ToolCallMetrics {
  readonly toolCallId: string;
  readonly name: string;
  readonly calledAt: Instant;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly outcome: "effect" | "noEffect" | "failed" | "noWireEffectExpected";
  readonly expectedEffect?: WireEffect;
  /** Called → started: mostly the wait for queued speech to be played. */
  readonly waitMs?: number;
  /** The effect as the bot sent it, and as the caller got it. */
  readonly effectSentAt?: Instant;
  readonly effectReceivedAt?: Instant;
  /** Called → effect at the caller, or at the bot where the caller's facts are missing. */
  readonly effectLatencyMs?: number;
  readonly effectSeenBy?: Party;
  /** For digits: what arrived (or, without the caller's facts, what was sent) after this call. */
  readonly digits?: string;
}

/** How the call came up and ended. */
export interface SetupMetrics {
  readonly dialedAt?: Instant;
  readonly answeredAt?: Instant;
  readonly endedAt?: Instant;
  /** INVITE sent → first 18x, or 200 where there was none. */
  readonly postDialDelayMs?: number;
  /** INVITE sent → 200 OK. */
  readonly answerTimeMs?: number;
  /** 200 OK → the bot's first speech heard, before the caller spoke. */
  readonly greetingLatencyMs?: number;
  /** How far that is known; missing in metrics of older versions. */
  readonly greetingCertainty?: Certainty;
  /** Answered → ended. */
  readonly durationMs?: number;
  readonly endedBy?: "local" | "remote" | "network";
  readonly endReason?: string;
}

/** A silence of both. */
export interface DeadAir extends TimeSpan {
  readonly ms: number;
  /** Who spoke last: after the caller, the bot was due. */
  readonly after: Party;
}

/** Who spoke how much, and how they took turns. */
export interface ConversationMetrics {
  readonly callerSpeechMs: number;
  readonly botSpeechMs: number;
  /** Bot speech ÷ caller speech; missing where the caller said nothing. */
  readonly talkRatio?: number;
  readonly talkOverMs: number;
  /** Overlap ÷ total speech. */
  readonly talkOverRatio: number;
  /** Gaps above 2.0 s, or 3.0 s where a tool was at work. */
  readonly deadAir: readonly DeadAir[];
  readonly longestGapMs: number;
  /** Bot turns that began while the caller spoke (backchannels apart). */
  readonly agentInterruptions: number;
  /** Times that the bot's answer was cut off as by the caller; where the bot is ours. */
  readonly botInterrupted?: number;
  /** Of these, while the caller had said nothing: noise, echo, or too eager a detector. */
  readonly falseInterruptions?: number;
}

/** One media session, as its own end counted it. */
export interface MediaMetrics {
  readonly party: Party;
  readonly codec?: string;
  readonly ptimeMs?: number;
  readonly srtpSuite?: string;
  readonly rtcp?: "mux" | "separate" | "off";
  readonly jitterBuffer?: "fixed" | "adaptive";
  readonly playoutDelayMs?: number;
  readonly packetsSent: number;
  readonly packetsReceived: number;
  readonly packetsExpected: number;
  readonly lost: number;
  /** Lost ÷ expected. */
  readonly lossRatio: number;
  readonly played: number;
  readonly late: number;
  readonly discarded: number;
  readonly duplicate: number;
  /** Not audio: telephone events. `received = played + late + discarded + duplicate + other`. */
  readonly other: number;
  readonly outOfOrder: number;
  readonly malformed: number;
  readonly foreign: number;
  readonly unknownPayload: number;
  readonly srtpRejected: number;
  readonly sendErrors: number;
  readonly interarrivalJitterMs: number;
  /** RFC 3611 §4.7.2. */
  readonly burstDensity: number;
  readonly gapDensity: number;
  readonly concealedMs: number;
  readonly fecRecoveredMs: number;
  readonly comfortNoiseMs: number;
  /** Audio put in and left out to follow the sender's clock and the buffer's target. */
  readonly insertedMs: number;
  readonly skippedMs: number;
  readonly driftPpm?: number;
  readonly jitterBufferMsMean: number;
  readonly jitterBufferMsMax: number;
  readonly rtcpSent: number;
  readonly rtcpReceived: number;
  readonly roundTripMsMin?: number;
  readonly roundTripMsMean?: number;
  readonly roundTripMsMax?: number;
  /** What the peer's last RTCP report said of our stream. */
  readonly reportedByPeer?: {
    readonly cumulativeLost: number;
    readonly interarrivalJitterMs: number;
  };
}

/** How well our own side kept time. */
export interface InstrumentMetrics {
  readonly party: Party;
  readonly departureJitterMsP99: number;
  readonly departureJitterMsMax: number;
  readonly missedDeadlines: number;
  readonly eventLoopLagMsP99: number;
  readonly eventLoopLagMsMax: number;
  /** Audio sent ÷ time passed since the first packet; 1 is right. */
  readonly sentAudioRatio?: number;
}

/** The bot's bridge, where it is ours. */
export interface BridgeMetrics {
  /** Stalls: the speech of a response had run out, and more of it came. */
  readonly underruns: number;
  readonly underrunMs: number;
  /** Missing in metrics of older versions. */
  readonly playout?: PlayoutMetrics;
  /** Silence handed to the AI for packets that did not come. */
  readonly filledMs: number;
  readonly appendedMs: number;
}

/** What the call's AI used, by its own account, and what that costs by a list of prices. */
export interface AiUsageMetrics {
  readonly responses: number;
  /** Of these, those whose model's price is not known: they are not in `costUsd`. */
  readonly unpricedResponses: number;
  readonly totalTokens: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd?: number;
  readonly prices?: { readonly source: string; readonly date: string };
}

/** What an AI tester was in this call, and what came of it; no figure of the bot's. */
export interface TesterMetrics {
  readonly persona?: NonNullable<TesterFact["persona"]>;
  /** Missing while the call is up. */
  readonly endedBy?: NonNullable<TesterFact["endedBy"]>;
  readonly limit?: NonNullable<TesterFact["limit"]>;
  /** By its own word; missing where it never said. */
  readonly goalReached?: boolean;
  readonly reason?: string;
  readonly turns?: number;
  /** Of the AI that plays it. */
  readonly ai?: AiUsageMetrics;
}

/** What a rule or a language model found of a call. */
export type JudgementMetrics = Omit<JudgementFact, "kind" | "party" | "at">;

/** Where the recording lies on the clock, so that an instant can be found in the file. */
export interface RecordingSpan {
  readonly startedAt: Instant;
  readonly sampleRateHz: number;
  readonly durationMs: number;
}

/** Every figure of one call. Missing figures could not be taken; none is guessed. */
export interface CallMetrics {
  readonly version: number;
  readonly callId: string;
  /** At whose socket speech was heard; `bot` where the caller is not ours; missing: no recording. */
  readonly heardAt?: Party;
  readonly recording?: RecordingSpan;
  readonly setup: SetupMetrics;
  readonly callerTurns: readonly CallerTurn[];
  readonly botTurns: readonly BotTurn[];
  readonly turns: readonly TurnMetrics[];
  readonly bargeIns: readonly BargeInMetrics[];
  readonly backchannels: readonly BackchannelMetrics[];
  readonly toolCalls: readonly ToolCallMetrics[];
  readonly conversation: ConversationMetrics;
  readonly media: readonly MediaMetrics[];
  /** Both directions where both ends were recorded. */
  readonly delays: readonly DelayMetrics[];
  readonly echoes: readonly EchoMetrics[];
  readonly instrument: readonly InstrumentMetrics[];
  /** When our own ends kept time badly; missing in metrics of older versions. */
  readonly unsteady?: readonly UnsteadySpan[];
  /** Missing in metrics of older versions. */
  readonly quality?: QualityMetrics;
  readonly bridge?: BridgeMetrics;
  /** The injured network to our bot's AI; missing where there was none, or an older version measured. */
  readonly aiPath?: AiPathMetrics;
  readonly ai?: AiUsageMetrics;
  /** Who placed the call, where that was an AI tester. */
  readonly tester?: TesterMetrics;
  /** What rules and language models found of it. */
  readonly judgements?: readonly JudgementMetrics[];
  readonly faults: readonly {
    readonly code: string;
    readonly party: Party;
    readonly at: Instant;
  }[];
}
