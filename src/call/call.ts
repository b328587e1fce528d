import type { Bridge } from "../bridge/index.ts";
import { codecOf, loadCodecs } from "../codec/index.ts";
import {
  after,
  type Clock,
  type Instant,
  type SidetoneError,
  type Timer,
  UsageError,
} from "../environment/index.ts";
import { describeNetwork, type ImpairedPath, type NetworkPlan } from "../impairment/index.ts";
import type { MediaSession, Utterance, UtterancePlayer } from "../media/index.ts";
import type { MediaDirection, OfferAnswer } from "../sdp/index.ts";
import type {
  CallEndReason,
  OptionsAnswer,
  SipCall,
  SipCallEvent,
  SipTrace,
  TransferOutcome,
} from "../sip/index.ts";
import type { DigitMethod, Fact, FactDraft } from "../timeline/index.ts";
import type { AiLeg } from "./ai-leg.ts";
import type { CallArtifacts, CallIdentity } from "./call-artifacts.ts";
import { CallTexts } from "./call-texts.ts";
import type { CallTrace } from "./call-trace.ts";
import { CallTransfers, endsCall, type TransferOrder } from "./call-transfers.ts";
import type { EventLoopLag } from "./event-loop-lag.ts";
import { InfoDigits } from "./info-digits.ts";
import type { SipNetwork } from "./sip-network.ts";

/** Which of a call's networks: that of its RTP and RTCP, or that to its AI. */
export type NetworkLeg = "sip" | "ai";

/** Who follows a call. */
export interface CallObserver {
  onFact(callId: string, fact: Fact): void;
  /** The call has ended and its media are released. */
  onEnded(callId: string): void;
}

/** The parts of a call; `agent.ts` makes them. */
export interface CallParts {
  readonly identity: CallIdentity;
  readonly sip: SipCall;
  readonly media: MediaSession;
  readonly player: UtterancePlayer;
  readonly trace: CallTrace;
  /** What was, and will be, agreed on. */
  readonly negotiator: OfferAnswer;
  readonly path: ImpairedPath;
  /** That before its SIP, which other calls share. */
  readonly sipNetwork: SipNetwork;
  readonly clock: Clock;
  readonly observer: CallObserver;
  /** The event loop's lag since it was last told of; `undefined` where nobody watches it. */
  readonly lag: () => EventLoopLag | undefined;
  /** The call is hung up after this long, so that none is left up. */
  readonly durationLimitMs: number;
}

/** What shall be different from now on; what is not said stays. */
export interface MediaChange {
  /** In order of preference; one alone forces it. */
  readonly codecs?: readonly string[];
  /** "sendonly" holds the peer, "sendrecv" resumes. */
  readonly direction?: MediaDirection;
  readonly ptimeMs?: number;
  /** How the other side is asked. Default: re-INVITE. */
  readonly method?: "INVITE" | "UPDATE";
}

/** Telephone keys to be pressed. */
export interface KeyPress {
  readonly digits: string;
  /** Default: as RFC 4733 events. */
  readonly method?: DigitMethod;
  /** Of each key; default 100. */
  readonly durationMs?: number;
}

/**
 * One call at one party: joins its SIP dialog, its media and (for a bot) its AI bridge, and sees
 * that all of them end together. It owns no protocol and measures nothing.
 */
export class Call {
  readonly identity: CallIdentity;
  readonly transfers: CallTransfers;
  readonly texts: CallTexts;
  /** Of whoever placed the call; told before the timeline is. */
  onSipEvent: ((event: SipCallEvent) => void) | undefined;
  /** Of whoever has to end something with it; called once. */
  onEnded: (() => void) | undefined;
  /** Of whoever plays the caller; told after the timeline. */
  onFact: ((fact: Fact) => void) | undefined;
  /** The 200 was sent or came. */
  onAnswered: (() => void) | undefined;
  readonly #parts: CallParts;
  readonly #durationTimer: Timer;
  readonly #infoDigits: InfoDigits;
  #bridge: Bridge | undefined;
  #aiLeg: AiLeg | undefined;
  #greet: (() => void) | undefined;
  #greetsWhenAnswered = false;
  /** Why we hung up, where it was not the scenario's wish. */
  #failure: { readonly endedBy: "local" | "network"; readonly reason: string } | undefined;
  readonly #faults = new Set<string>();
  #isChangingMedia = false;
  #hasBegun = false;
  #hasEnded = false;
  #isAnswered = false;
  #isHangingUp = false;

  constructor(parts: CallParts) {
    this.#parts = parts;
    this.identity = parts.identity;
    this.#infoDigits = new InfoDigits(parts.sip, this.record, () => parts.clock.now());
    this.texts = new CallTexts(parts.sip, this.record);
    this.transfers = new CallTransfers(parts.sip, this.record, () => parts.clock.now());
    parts.media.onSilentPeer = (silentMs) => this.#loseMedia(silentMs);
    this.#durationTimer = parts.clock.setTimer(
      after(parts.clock.now(), parts.durationLimitMs),
      () => this.#exceedDuration(),
    );
  }

  /** Follows the dialog from now on; what it went through before is caught up with. */
  start(): void {
    this.#parts.sipNetwork.watch(this);
    this.#parts.sip.onEvent = (event) => this.#handleSip(event);
  }

  get callId(): string {
    return this.identity.callId;
  }

  /** It rings, or not even that. */
  get isEarly(): boolean {
    return this.#parts.sip.state === "early";
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Adds a fact to the call's timeline. */
  readonly record = (draft: FactDraft): void => {
    if (draft.kind === "fault") this.#faults.add(draft.code);
    const fact = { ...draft, party: this.identity.party } as Fact;
    this.#parts.observer.onFact(this.callId, fact);
    this.onFact?.(fact);
  };

  /** How well this end has kept time since the last such fact. */
  recordTiming({ p99Ms, maxMs }: EventLoopLag): void {
    const { clock, media } = this.#parts;
    this.record({
      kind: "instrument",
      at: clock.now(),
      eventLoopLagMsP99: p99Ms,
      eventLoopLagMsMax: maxMs,
      departureJitterMsMax: media.takeDepartureJitterMs(),
    });
  }

  /** Where there are media: the call may end, or be measured, between two tellings. */
  #recordTimingNow(): void {
    const lag = this.#parts.lag();
    if (lag !== undefined && !this.#hasEnded && this.#parts.media.isRunning) this.recordTiming(lag);
  }

  /** A SIP message of this call as it crossed the socket. */
  handleTrace(trace: SipTrace): void {
    this.#parts.trace.addSip(trace);
    if (trace.method === "INVITE" && trace.statusCode === undefined) this.#begin(trace.at);
    this.record({
      kind: "sipMessage",
      at: trace.at,
      direction: trace.direction,
      transport: trace.transport,
      local: trace.local,
      remote: trace.remote,
      startLine: trace.startLine,
      method: trace.method,
      ...(trace.statusCode === undefined ? {} : { statusCode: trace.statusCode }),
      cseq: trace.cseq,
      ...(trace.retransmission ? { retransmission: true } : {}),
      text: trace.text,
    });
  }

  /** Lets an AI speak and listen in this call; `greet` makes it speak first. */
  attachBridge(bridge: Bridge, greet: () => void): void {
    this.#bridge = bridge;
    this.#greet = greet;
    this.#parts.media.source = {
      begin: ({ sampleRateHz }) => bridge.openAudio(sampleRateHz),
      fill: (frame, deadline) => bridge.takeFrame(frame, deadline),
    };
    this.#parts.media.onIncomingAudio = (samples, now) => bridge.handleCallerAudio(samples, now);
    this.#parts.media.onIncomingSilence = (count, now) => bridge.handleCallerSilence(count, now);
  }

  /** The network to its AI can be changed, and ends with the call. */
  attachAiLeg(leg: AiLeg): void {
    if (this.#hasEnded) leg.close(this.#parts.clock.now());
    else this.#aiLeg = leg;
  }

  /** Asks the AI to speak first, where there is one; once, however often media are agreed on. */
  greet(): void {
    this.#greet?.();
    this.#greet = undefined;
  }

  /** The same, at once or when the call is answered: for calls that a bot placed. */
  greetWhenAnswered(): void {
    if (this.#parts.media.isRunning) this.greet();
    else this.#greetsWhenAnswered = true;
  }

  /** The AI went away: an answered call is hung up, one that still rings is refused elsewhere. */
  loseAi(error: SidetoneError): void {
    if (this.#parts.media.isRunning) this.fail(error, { endedBy: "local", reason: "error" });
  }

  /**
   * Speaks a known utterance.
   * @throws UsageError ERR_NOT_IN_CALL.
   */
  say(utterance: Utterance): void {
    this.#requireTalk("say something");
    this.#parts.player.say(utterance);
  }

  /**
   * Presses telephone keys; resolves when the last has been sent (by INFO: answered).
   * @throws UsageError ERR_NOT_IN_CALL, ERR_DIGIT_UNKNOWN; RemoteError ERR_NO_TELEPHONE_EVENT,
   *   ERR_INFO_REJECTED.
   */
  press({ digits, method, durationMs }: KeyPress): Promise<void> {
    this.#requireTalk("press keys");
    const duration = durationMs === undefined ? {} : { durationMs };
    if (method === "info") return this.#infoDigits.send(digits, duration);
    const how = method === undefined ? {} : { method };
    return this.#parts.media.sendDigits({ digits, ...how, ...duration });
  }

  /**
   * Changes the media by re-INVITE: another codec, packet length, hold or resume; resolves when the
   * peer has agreed.
   * @throws UsageError ERR_NOT_IN_CALL, ERR_UNKNOWN_CODEC, ERR_CALL_STATE; RemoteError
   *   ERR_REINVITE_REFUSED and what goes wrong with the peer's answer.
   */
  async changeMedia(change: MediaChange): Promise<void> {
    this.#requireTalk("change its media");
    // Refused before anything is wished for: a second wish would slip into the first one's offer.
    if (this.#isChangingMedia) throw alreadyChanging(this.callId);
    this.#isChangingMedia = true;
    try {
      const codecs = change.codecs?.map((id) => codecOf(id).id);
      await loadCodecs(codecs ?? []);
      const { method = "INVITE", ...others } = change;
      const wanted = { ...others, ...(codecs === undefined ? {} : { codecs }) };
      this.#parts.negotiator.reconfigure(wanted);
      await this.#parts.sip.renegotiate({ method });
    } finally {
      this.#isChangingMedia = false;
    }
  }

  /**
   * Another network for this call's RTP and RTCP, or to its AI, from now on, in the directions that
   * are named.
   * @throws UsageError ERR_IMPAIRMENT, ERR_AI_PATH_MISSING.
   */
  changeNetwork(plan: NetworkPlan, leg: NetworkLeg = "sip"): void {
    const { path, clock } = this.#parts;
    if (leg === "ai") {
      if (this.#aiLeg === undefined) throw noAiPath(this.callId);
      this.#aiLeg.change(plan);
      return;
    }
    path.change(plan);
    this.#recordPlan(plan, clock.now());
  }

  /**
   * Transfers the peer by REFER; resolves when it is known what came of that. Where the peer went,
   * this call is hung up; where it did not, it goes on.
   * @throws UsageError ERR_NOT_IN_CALL, ERR_CALL_STATE, ERR_TARGET_MALFORMED,
   *   ERR_TARGET_UNSUPPORTED.
   */
  async transfer(order: TransferOrder): Promise<TransferOutcome> {
    this.#requireTalk("transfer the call");
    const outcome = await this.transfers.refer(order);
    if (endsCall(outcome)) void this.hangUp();
    return outcome;
  }

  /**
   * The dialog of this call, so that another one can take its place.
   * @throws UsageError ERR_NOT_IN_CALL.
   */
  dialog(): Required<Pick<TransferOrder, "target" | "replaces">> {
    const { dialog, remoteTarget } = this.#parts.sip;
    this.#requireTalk("have its call replaced");
    if (dialog === undefined || remoteTarget === undefined) throw new Error("Bug: no dialog.");
    return { target: remoteTarget, replaces: dialog };
  }

  /** Asks the peer what it can do; see `SipCall.queryOptions`. */
  queryOptions(): Promise<OptionsAnswer> {
    return this.#parts.sip.queryOptions();
  }

  /** BYE, CANCEL or rejection, whichever fits; resolves when the call has ended. */
  hangUp(headers: readonly string[] = []): Promise<void> {
    this.#isHangingUp = true;
    return this.#parts.sip.hangUp(headers);
  }

  /** Ends the call because something failed; the timeline says what. */
  fail(error: SidetoneError, ended: { endedBy: "local" | "network"; reason: string }): void {
    if (this.#hasEnded || this.#failure !== undefined) return;
    this.#failure = ended;
    this.recordFault(error);
    void this.#parts.sip.hangUp();
  }

  /** Puts an error on the timeline, unless whoever raised it did so. */
  recordFault(error: SidetoneError, at: Instant = this.#parts.clock.now()): void {
    const { code, message, fault } = error;
    if (this.#faults.has(code)) return;
    this.record({ kind: "fault", at, code, message, fault });
  }

  /** What this side leaves: recording so far, packets, AI events. */
  artifacts(): CallArtifacts {
    this.#recordTimingNow();
    const { media, trace } = this.#parts;
    const audio = media.recordedAudio();
    const aiEvents = trace.aiEvents;
    const plainPcap = trace.plainPcapBytes();
    return {
      identity: this.identity,
      ...(audio === undefined ? {} : { audio }),
      pcap: trace.pcapBytes(),
      ...(plainPcap === undefined ? {} : { plainPcap }),
      ...(aiEvents === undefined ? {} : { aiEvents }),
    };
  }

  #requireTalk(what: string): void {
    if (this.#hasEnded || !this.#parts.media.isRunning) {
      throw new UsageError(
        "ERR_NOT_IN_CALL",
        `The ${this.identity.party} cannot ${what}: the call ${this.#hasEnded ? "has ended" : "is not answered yet"}.`,
        { context: { callId: this.callId } },
      );
    }
  }

  /** The INVITE crossed the socket; or it never will, and the call ends as it began. */
  #begin(at: Instant): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    const phase = this.identity.direction === "inbound" ? "offered" : "dialed";
    this.record({ kind: "callPhase", phase, at });
    const { plan } = this.#parts.path;
    if (Object.keys(plan).length > 0) this.#recordPlan(plan, at);
  }

  #recordPlan(plan: NetworkPlan, at: Instant): void {
    this.record({ kind: "networkChanged", at, description: describeNetwork(plan), ...plan });
  }

  #handleSip(event: SipCallEvent): void {
    const { at } = event;
    this.onSipEvent?.(event);
    if (event.type === "sessionTimer") {
      const { intervalS, refresher } = event;
      this.record({ kind: "sessionTimer", at, intervalS, refresher });
      return;
    }
    const status = event.statusCode === undefined ? {} : { statusCode: event.statusCode };
    if (event.type === "ended") {
      if (event.error !== undefined) this.recordFault(event.error, at);
      this.#end(at, { endedBy: event.endedBy, reason: event.reason, ...status });
      return;
    }
    const { type: phase } = event;
    if (phase === "trying") return;
    this.record({ kind: "callPhase", phase, at, ...status });
    if (phase === "answered") this.#handleAnswered();
    if (phase === "confirmed" && this.#greetsWhenAnswered) this.greet();
  }

  #handleAnswered(): void {
    this.#isAnswered = true;
    this.#parts.media.handleAnswered();
    this.onAnswered?.();
  }

  #end(
    at: Instant,
    ended: {
      readonly endedBy: "local" | "remote" | "network";
      readonly reason: CallEndReason;
      readonly statusCode?: number;
    },
  ): void {
    if (this.#hasEnded) return;
    this.#recordTimingNow();
    this.#hasEnded = true;
    this.#begin(at);
    this.#durationTimer.cancel();
    this.onEnded?.();
    this.#parts.player.silence(at);
    this.#bridge?.close();
    this.#aiLeg?.close(at);
    this.#parts.media.stop();
    this.#recordNetwork(at);
    this.#parts.sipNetwork.handleEnd(this, at);
    this.record({ kind: "callPhase", phase: "ended", at, ...ended, ...this.#failure });
    this.#leaveDialog();
    void this.#parts.media.release().then(() => this.#parts.observer.onEnded(this.callId));
  }

  /** What an injured network did to the call's packets. */
  #recordNetwork(at: Instant): void {
    const { sent, received } = this.#parts.path.counts;
    if (sent.offered + received.offered === 0) return;
    this.record({ kind: "networkCounts", at, sent, received });
  }

  /**
   * SIP keeps an ended call's transactions for 32 s (RFC 3261 §17.2.2). They must not keep its
   * recording, too: that would be 60 MB at 20 calls a second.
   */
  #leaveDialog(): void {
    const { sip, negotiator } = this.#parts;
    sip.onEvent = undefined;
    sip.onInfo = undefined;
    sip.onMessage = undefined;
    negotiator.onNegotiated = undefined;
  }

  #loseMedia(silentMs: number): void {
    const { media, clock } = this.#parts;
    // RFC 3261 §15.1.1: the session is over once the BYE is sent; it may be repeated for 32 s.
    if (this.#isHangingUp) {
      const reason = this.#isAnswered ? "bye" : "cancel";
      return this.#end(clock.now(), { endedBy: "local", reason });
    }
    this.fail(media.silenceError(silentMs), { endedBy: "network", reason: "rtpTimeout" });
    // Nobody may be there to answer our BYE: it is repeated for 32 s (Timer F), the call is over.
    this.#end(clock.now(), { endedBy: "network", reason: "noAnswer" });
  }

  #exceedDuration(): void {
    this.fail(
      new UsageError(
        "ERR_CALL_TOO_LONG",
        `The call was still up after ${this.#parts.durationLimitMs} ms and was hung up. End it in the scenario, or raise callDurationLimitMs.`,
        { context: { callId: this.callId, durationLimitMs: this.#parts.durationLimitMs } },
      ),
      { endedBy: "local", reason: "error" },
    );
  }
}

function noAiPath(callId: string): UsageError {
  return new UsageError(
    "ERR_AI_PATH_MISSING",
    "The network to the AI of this call cannot be changed: nothing was put between them. Name the AI's network, or its transport, before the call.",
    { context: { callId } },
  );
}

function alreadyChanging(callId: string): UsageError {
  return new UsageError(
    "ERR_CALL_STATE",
    "The media of this call are being changed already. Wait until that is done.",
    { context: { callId } },
  );
}
