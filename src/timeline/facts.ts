import type { Fault, Instant } from "../environment/index.ts";
import type { FactBase, Party } from "./fact-base.ts";
import type {
  AiStallFact,
  AiTcpFact,
  NetworkChangedFact,
  NetworkCountsFact,
} from "./network-facts.ts";

/** A SIP message as it crossed the socket. `text` is the whole message, credentials redacted. */
export interface SipMessageFact extends FactBase {
  readonly kind: "sipMessage";
  readonly direction: "sent" | "received";
  readonly transport: string;
  readonly local: string;
  readonly remote: string;
  /** "INVITE sip:bot@…" or "200 OK". */
  readonly startLine: string;
  readonly method: string;
  readonly statusCode?: number;
  readonly cseq: number;
  /** The same message again, after a timer or a loss. */
  readonly retransmission?: boolean;
  readonly text: string;
}

/**
 * A fault that the scenario asked for happened to a SIP message at this end. What was dropped never
 * crossed the socket (sent), or was not handled (received).
 */
export interface SipFaultFact extends FactBase {
  readonly kind: "sipFault";
  /** "no ACK", "lost BYE", … */
  readonly name: string;
  /** `released`: a BYE or CANCEL that was kept from the peer was sent after all, as the call ended. */
  readonly effect: "dropped" | "delayed" | "duplicated" | "altered" | "released";
  readonly direction: "sent" | "received";
  readonly startLine: string;
}

/** A retransmission or anything else that the SIP layer wants to be seen. */
export interface CallPhaseFact extends FactBase {
  readonly kind: "callPhase";
  /**
   * `dialed` INVITE handed to the transport · `offered` INVITE received · `ringing` 18x seen or sent ·
   * `earlyMedia` media agreed on in one, each time anew · `redirected` a 3xx was followed ·
   * `answered` 200 to the INVITE seen or sent · `confirmed` ACK sent or received · `ended`.
   */
  readonly phase:
    | "dialed"
    | "offered"
    | "ringing"
    | "earlyMedia"
    | "redirected"
    | "answered"
    | "confirmed"
    | "ended";
  readonly statusCode?: number;
  /** Only for `ended`: who ended it. `network` where the peer vanished. */
  readonly endedBy?: "local" | "remote" | "network";
  /**
   * Only for `ended`, a stable word: bye, cancel, rejected, ringTimeout, noAnswer, unreachable,
   * rtpTimeout, noCommonCodec, sessionExpired, shutdown, error.
   */
  readonly reason?: string;
}

/** A session timer is in force (RFC 4028): from the answer on, and again by each refresh. */
export interface SessionTimerFact extends FactBase {
  readonly kind: "sessionTimer";
  readonly intervalS: number;
  /** Who is to refresh the session, seen from the party that recorded this. */
  readonly refresher: "local" | "remote";
}

/** A text in SIP MESSAGE within this call (RFC 3428); one that was sent was taken by the peer. */
export interface TextMessageFact extends FactBase {
  readonly kind: "textMessage";
  readonly direction: "sent" | "received";
  readonly text: string;
}

/** Media began to flow by the negotiated parameters. */
export interface MediaStartedFact extends FactBase {
  readonly kind: "mediaStarted";
  /** What is sent: PCMU, G722, opus, L16/16000, … */
  readonly codec: string;
  readonly payloadType: number;
  readonly telephoneEventPayloadType?: number;
  readonly ptimeMs: number;
  readonly clockRateHz: number;
  /** Of the session's audio and of the recording. */
  readonly sampleRateHz: number;
  readonly local: string;
  readonly remote: string;
  /** The delay of the receiving jitter buffer; of an adaptive one, that which it begins with. */
  readonly playoutDelayMs: number;
  readonly jitterBuffer?: "fixed" | "adaptive";
  readonly ssrc: number;
  /** The SRTP suite, where the media are encrypted. */
  readonly srtpSuite?: string;
  readonly rtcp?: "mux" | "separate" | "off";
}

/** A later offer and answer changed the media. */
export interface MediaChangedFact extends FactBase {
  readonly kind: "mediaChanged";
  readonly codec: string;
  readonly payloadType: number;
  readonly ptimeMs: number;
  readonly direction: "sendrecv" | "sendonly" | "recvonly" | "inactive";
  readonly remote?: string;
  readonly srtpSuite?: string;
}

/** Packets began to come from another address than before (or than agreed on). */
export interface RtpSourceFact extends FactBase {
  readonly kind: "rtpSource";
  readonly from: string;
  readonly expected: string;
  /** Whether they are taken for the peer's. */
  readonly isAccepted: boolean;
}

/** A report of the peer on what it received of us (RFC 3550 §6.4), or on its call (RFC 3611). */
export interface RtcpReportFact extends FactBase {
  readonly kind: "rtcpReport";
  readonly report: "SR" | "RR" | "XR";
  /** Share of our packets that did not come since its report before, 0 to 1. */
  readonly fractionLost?: number;
  readonly cumulativeLost?: number;
  readonly interarrivalJitterMs?: number;
  /** Round trip by LSR and DLSR (RFC 3550 §6.4.1) or DLRR (RFC 3611 §4.5). */
  readonly roundTripMs?: number;
  /** Of XR VoIP metrics: as the peer claims; `undefined` where it says that it does not know. */
  readonly rFactor?: number;
  readonly mosLq?: number;
  readonly mosCq?: number;
}

/** The stereo recording's sample 0 stands at this instant (both channels). */
export interface RecordingStartedFact extends FactBase {
  readonly kind: "recordingStarted";
  readonly sampleRateHz: number;
}

/** The first RTP packet in a direction, or the first after a silence of the sender. */
export interface RtpFlowFact extends FactBase {
  readonly kind: "rtpFlow";
  readonly direction: "sent" | "received";
  readonly event: "first" | "stopped" | "resumed";
}

/**
 * The caller (or a scripted bot) spoke a known utterance. Instants are those at which the
 * respective sample left in RTP, by the recording's clock: see docs/measurements.md.
 */
export interface UtteranceFact extends FactBase {
  readonly kind: "utterance";
  readonly event: "started" | "ended";
  readonly utteranceId: string;
  readonly fixture: string;
  /**
   * What the bot owes it: an answer; to stop and answer; or nothing at all, to a sign of listening, a
   * cough or "um", or words for somebody else.
   */
  readonly purpose: "speech" | "interruption" | "backchannel" | "vocalTic" | "sideSpeech";
  /** Of the annotated first speech sample. */
  readonly onsetAt: Instant;
  /** Of the annotated last speech sample; on `ended` where it was cut short, the real end. */
  readonly offsetAt: Instant;
  /** Only on `ended`: silenced before its last speech sample. Instants alone cannot tell it. */
  readonly isCutShort?: boolean;
}

/**
 * What a live, coarse detector heard of the other side. It steers a scenario ("interrupt 2 s after
 * the bot begins"); no figure is ever computed from it.
 */
export interface HeardSpeechFact extends FactBase {
  readonly kind: "heardSpeech";
  readonly event: "started" | "stopped";
}

/** How a telephone key crossed: RFC 4733 event, tone in the audio (Q.23), or SIP INFO. */
export type DigitMethod = "telephone-event" | "in-band" | "info";

/** A telephone key. `at` is the first packet's instant, or the message's, or the tone's onset. */
export interface DigitFact extends FactBase {
  readonly kind: "digit";
  readonly direction: "sent" | "received";
  readonly method: DigitMethod;
  readonly digit: string;
  readonly durationMs: number;
  readonly endedAt: Instant;
  /** Of RFC 4733, in dBm0. */
  readonly volumeDbm0?: number;
}

/**
 * Counts and health of one media session, taken when it ends; docs/media.md defines each.
 *
 * `packetsReceived = played + late + discarded + duplicate + other`, and
 * `packetsExpected = packetsReceived - duplicate + lost`.
 */
export interface MediaStatisticsFact extends FactBase {
  readonly kind: "mediaStatistics";
  readonly packetsSent: number;
  readonly bytesSent: number;
  /** What the host refused to send. */
  readonly sendErrors: number;
  readonly packetsReceived: number;
  readonly packetsExpected: number;
  readonly played: number;
  readonly lost: number;
  readonly late: number;
  readonly discarded: number;
  readonly duplicate: number;
  /** Telephone events and whatever else of the stream is not audio. */
  readonly other: number;
  readonly outOfOrder: number;
  readonly malformed: number;
  /** From an address that is not the peer's. */
  readonly foreign: number;
  /** Of a payload type that was not negotiated. */
  readonly unknownPayload: number;
  /** SRTP and SRTCP packets refused: forged, damaged, or sent again. */
  readonly srtpRejected: number;
  /** RFC 3550 §6.4.1, at the end of the call. */
  readonly interarrivalJitterMs: number;
  /** RFC 3611 §4.7.2: share of packets lost or discarded within bursts, and between them. */
  readonly burstDensity: number;
  readonly gapDensity: number;
  readonly burstDurationMs: number;
  readonly gapDurationMs: number;
  /** Runs of packets in a row that were not played; unknown to older folders. */
  readonly lossRuns?: number;
  readonly concealedMs: number;
  /** Lost audio that in-band FEC brought back. */
  readonly fecRecoveredMs: number;
  readonly comfortNoiseMs: number;
  /** Audio put in and left out to follow the sender's clock and the buffer's target. */
  readonly insertedMs: number;
  readonly skippedMs: number;
  /** The sender's clock against ours, where it could be told. */
  readonly driftPpm?: number;
  readonly jitterBufferMsMean: number;
  readonly jitterBufferMsMax: number;
  readonly rtcpSent: number;
  readonly rtcpReceived: number;
  readonly rtcpMalformed: number;
  readonly roundTripMsMin?: number;
  readonly roundTripMsMean?: number;
  readonly roundTripMsMax?: number;
  /** Deviation of departures from their absolute deadlines, over all packets sent. */
  readonly departureJitterMsP50: number;
  readonly departureJitterMsP99: number;
  readonly departureJitterMsMax: number;
  /** Deadlines missed by a frame or more. */
  readonly missedDeadlines: number;
}

/** The AI session's state as the bridge saw it. */
export interface AiSessionFact extends FactBase {
  readonly kind: "aiSession";
  readonly event:
    | "connecting"
    | "ready"
    | "reconnecting"
    | "resumed"
    | "closed"
    | "failed"
    | "goingAway";
  readonly provider: string;
  readonly model?: string;
  readonly code?: string;
  /** A reason without secrets. */
  readonly detail?: string;
}

/** The AI's own claim that the caller began or ceased to speak. */
export interface AiCallerSpeechFact extends FactBase {
  readonly kind: "aiCallerSpeech";
  readonly event: "started" | "stopped";
  /** On the AI's audio time: ms of audio appended since session start. */
  readonly audioMs: number;
}

/** Audio handed to the AI: where its audio time stands on our clock. Written about once a second. */
export interface AiInputClockFact extends FactBase {
  readonly kind: "aiInputClock";
  /** Audio ms appended up to and including the frame that left at `at`. */
  readonly appendedMs: number;
  /** Of these, silence put in for packets that did not come. */
  readonly filledMs: number;
}

/** A response of the AI began, delivered audio, or was done. */
export interface AiResponseFact extends FactBase {
  readonly kind: "aiResponse";
  readonly event: "created" | "firstAudio" | "audioDone" | "done";
  readonly responseId: string;
  /** On `done`: completed, cancelled, incomplete, failed. */
  readonly status?: string;
  readonly detail?: string;
  /** On `audioDone` and `done`: audio received for it. */
  readonly audioMs?: number;
}

/** Tokens that a response used, as the AI claims, and what they cost by a published list or one's own. */
export interface AiUsageFact extends FactBase {
  readonly kind: "aiUsage";
  readonly responseId: string;
  readonly totalTokens: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** By kind, where the AI says so; no token is in two of them, and cached ones are input, too. */
  readonly details?: {
    readonly inputText: number;
    readonly inputAudio: number;
    readonly cachedText: number;
    readonly cachedAudio: number;
    readonly outputText: number;
    readonly outputAudio: number;
  };
  /** Absent where the model's price is not known. */
  readonly costUsd?: number;
  /** The list that the price is from. */
  readonly prices?: { readonly source: string; readonly date: string };
}

/** A transcript, the caller's or the bot's, as the AI claims it. */
export interface AiTranscriptFact extends FactBase {
  readonly kind: "aiTranscript";
  readonly of: Party;
  readonly text: string;
  readonly responseId?: string;
}

/** The playout of an AI response into the call (injection buffer). */
export interface PlayoutFact extends FactBase {
  readonly kind: "playout";
  /**
   * `started` first frame with its audio left · `ended` last frame left · `flushed` thrown away on
   * interruption · `underrun` nothing left to play although the response is not done · `resumed`.
   */
  readonly event: "started" | "ended" | "flushed" | "underrun" | "resumed";
  readonly responseId: string;
  /** Audio of this response that left in RTP so far. */
  readonly playedMs: number;
  /** On `flushed`: audio thrown away. */
  readonly discardedMs?: number;
  /** On `started`: by how much later than it could have, by the pre-buffer. */
  readonly heldMs?: number;
  /** On `resumed`, where stalls are concealed: how much of the gap was more than silence. */
  readonly concealedMs?: number;
  /** On `ended` and `flushed`, where speech may be slower: by how much it took longer. */
  readonly stretchedMs?: number;
}

/** The AI was told, or told us, that its speech was cut off. */
export interface InterruptionFact extends FactBase {
  readonly kind: "interruption";
  readonly responseId: string;
  readonly playedMs: number;
  readonly truncationSent: boolean;
  /** Found in the caller's audio here; absent where the provider said so. */
  readonly detectedBy?: "local";
  /** How long the caller had spoken by then, where it was found here. */
  readonly speechMs?: number;
}

/** A tool call and what became of it. */
export interface ToolCallFact extends FactBase {
  readonly kind: "toolCall";
  readonly event: "called" | "started" | "finished" | "failed";
  readonly toolCallId: string;
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly result?: string;
  readonly code?: string;
}

/**
 * An HTTP request of the bot: `sent` by its tool, with what came of it, or `received` by a server of
 * the scenario. Values of secret headers are not in it.
 */
export interface HttpRequestFact extends FactBase {
  readonly kind: "httpRequest";
  readonly direction: "sent" | "received";
  readonly method: string;
  /** As the bot named it, also where a server of the scenario stood in for another one. */
  readonly url: string;
  readonly toolCallId?: string;
  /** Of the answer. */
  readonly statusCode?: number;
  /** Why there was no answer. */
  readonly code?: string;
  /** Of what was received. */
  readonly body?: string;
}

/** What an AI tester is, was told to do, and made of its call (docs/ai-tester.md). */
export interface TesterFact extends FactBase {
  readonly kind: "tester";
  /** `cue` it was told to speak · `goal` it said how its goal stands · `ended` the call is over. */
  readonly event: "began" | "cue" | "goal" | "ended";
  readonly persona?: {
    readonly name: string;
    readonly description: string;
    readonly goal: string;
    readonly language: string;
  };
  readonly cue?: "silence" | "interrupt" | "backchannel";
  /** In its own judgement; missing where it never said. */
  readonly goalReached?: boolean;
  readonly reason?: string;
  /**
   * On `ended`: the tester by `end_call` · the bot · a limit · nobody spoke any more · the scenario ·
   * an error.
   */
  readonly endedBy?: "tester" | "bot" | "limit" | "silence" | "scenario" | "error";
  readonly limit?: "turns" | "durationMs" | "costUsd";
  /** On `ended`: how often it spoke, signs of listening apart. */
  readonly turns?: number;
  /** On `ended`: of its own AI, where the price is known. */
  readonly costUsd?: number;
}

/**
 * What a rule, or a language model that was asked, found of this call. No figure is computed from
 * it; `at` is when it was found.
 */
export interface JudgementFact extends FactBase {
  readonly kind: "judgement";
  readonly source: "rule" | "model";
  /** What has to hold, in words. */
  readonly question: string;
  readonly outcome: "held" | "broken" | "inconclusive";
  /** What was seen, or the model's reason. */
  readonly reason?: string;
  /** One of the rules that each of several calls has to meet (docs/ai-tester.md). */
  readonly isOfRepeats?: boolean;
  /** Why it is inconclusive. */
  readonly code?: string;
  readonly model?: string;
  /** From the question to the last answer of the model. */
  readonly latencyMs?: number;
  /** How often the model was asked, by what came of it. */
  readonly votes?: Readonly<Record<"held" | "broken" | "inconclusive", number>>;
  /** Tokens of all its answers, as the model's server claims. */
  readonly usage?: { readonly inputTokens: number; readonly outputTokens: number };
}

/**
 * A transfer (RFC 5589) as this end saw it. On the call that is transferred stand `requested` to the
 * end, on the call that comes of it `placed` or `offered`.
 */
export interface TransferFact extends FactBase {
  readonly kind: "transfer";
  /** What this end does: it asks by REFER, is asked and calls, or is called instead. */
  readonly role: "transferor" | "transferee" | "target";
  /**
   * `requested` REFER sent or received · `accepted` or `refused` its final response · `progress`,
   * `completed`, `failed` NOTIFY with the new call's status, sent or received · `timedOut` no answer
   * or NOTIFY came in time · `unreported` the peer went ahead, but says no more · `placed` the new
   * call, at the transferee · `offered` the same at its target · `replaced` this call gave way to it.
   */
  readonly event:
    | "requested"
    | "accepted"
    | "refused"
    | "progress"
    | "completed"
    | "failed"
    | "timedOut"
    | "unreported"
    | "placed"
    | "offered"
    | "replaced";
  /** Whom the transferee is to call. */
  readonly target?: string;
  /** The new call is to take the place of one to the target (RFC 3891). */
  readonly isAttended?: boolean;
  readonly statusCode?: number;
  readonly reasonPhrase?: string;
  /** The Call-ID of the other call: the new one, the one transferred, or the one replaced. */
  readonly otherCallId?: string;
}

/** An error or protocol fault that belongs to this call. */
export interface FaultFact extends FactBase {
  readonly kind: "fault";
  /** Who is at fault, where it is known. */
  readonly fault?: Fault;
  readonly code: string;
  readonly message: string;
}

/** How an end kept time since it last said so: once a second, when it is asked, and at the end. */
export interface InstrumentFact extends FactBase {
  readonly kind: "instrument";
  readonly eventLoopLagMsP99: number;
  /** Of the event loop that paced this call's media. */
  readonly eventLoopLagMsMax: number;
  /** Of this call's packets; unknown to older folders. */
  readonly departureJitterMsMax?: number;
}

/** Everything that can stand on a timeline. */
export type Fact =
  | SipMessageFact
  | SipFaultFact
  | CallPhaseFact
  | SessionTimerFact
  | TextMessageFact
  | MediaStartedFact
  | MediaChangedFact
  | NetworkChangedFact
  | NetworkCountsFact
  | AiStallFact
  | AiTcpFact
  | RtpSourceFact
  | RtcpReportFact
  | RecordingStartedFact
  | RtpFlowFact
  | UtteranceFact
  | HeardSpeechFact
  | DigitFact
  | MediaStatisticsFact
  | AiSessionFact
  | AiCallerSpeechFact
  | AiInputClockFact
  | AiResponseFact
  | AiUsageFact
  | AiTranscriptFact
  | PlayoutFact
  | InterruptionFact
  | ToolCallFact
  | HttpRequestFact
  | TesterFact
  | JudgementFact
  | TransferFact
  | FaultFact
  | InstrumentFact;

export type FactKind = Fact["kind"];

/** The fact of a given kind. */
export type FactOf<Kind extends FactKind> = Extract<Fact, { readonly kind: Kind }>;

/** A fact before its party is known; the recorder of an agent adds it. */
export type FactDraft = Fact extends infer Each
  ? Each extends Fact
    ? Omit<Each, "party">
    : never
  : never;

/** Where facts go. */
export type FactSink = (fact: FactDraft) => void;
