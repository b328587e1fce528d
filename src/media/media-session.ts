import { LiveSpeechDetector } from "../audio/index.ts";
import { type Codec, codecNamed } from "../codec/index.ts";
import {
  after,
  assert,
  type Clock,
  type DatagramSocket,
  elapsedMs,
  type Instant,
  type Random,
  RemoteError,
  type Timer,
} from "../environment/index.ts";
import type { RecordedAudio } from "../measure/index.ts";
import type { NegotiatedMedia } from "../sdp/index.ts";
import type { FactSink, Party } from "../timeline/index.ts";
import { type AudioSource, SILENT_SOURCE } from "./audio-source.ts";
import { RtpReceiver } from "./rtp-receiver.ts";
import { type PacketTap, RtpSender } from "./rtp-sender.ts";
import { SessionRecording } from "./session-recording.ts";

/** How a media session is made; everything negotiated comes with `start`. */
export interface MediaSessionOptions {
  readonly party: Party;
  readonly clock: Clock;
  readonly random: Random;
  readonly socket: DatagramSocket;
  readonly record: FactSink;
  readonly playoutDelayMs: number;
  readonly recordsAudio: boolean;
  /** The peer counts as vanished when nothing came for this long. */
  readonly silentPeerLimitMs: number;
  readonly onPacket?: PacketTap;
}

/** A pause at a comma is shorter than this, the end of an answer longer. */
const HEARD_HANGOVER_MS = 700;

/** After a stall of the host longer than this, missed frames are skipped and counted, not sent. */
const CATCH_UP_FRAMES_MAX = 10;

/** What `Clock.setTimer` may be early by. */
const TIMER_EARLY_MS_MAX = 0.5;

/**
 * The media of one call: sends and plays one frame per deadline, on absolute deadlines.
 *
 * Everything that is timed happens here and nowhere else: a tick's deadline stands for both
 * channels of the recording, so that what was sent and what was heard share one clock.
 */
export class MediaSession {
  source: AudioSource = SILENT_SOURCE;
  /** The low-latency path for a bridge; set before `start`. */
  onIncomingAudio: ((samples: Int16Array, now: Instant) => void) | undefined;
  onIncomingSilence: ((samples: number, now: Instant) => void) | undefined;
  /** Coarse, live: what the other side does as heard. Steers scenarios, never figures. */
  onHeardSpeech: ((event: "started" | "stopped", at: Instant) => void) | undefined;
  onSilentPeer: ((silentMs: number) => void) | undefined;
  readonly #options: MediaSessionOptions;
  #sender: RtpSender | undefined;
  #receiver: RtpReceiver | undefined;
  #recording: SessionRecording | undefined;
  #detector: LiveSpeechDetector | undefined;
  #sendFrame = new Int16Array(0);
  #heardFrame = new Int16Array(0);
  #frameMs = 20;
  #firstDeadline: Instant | undefined;
  #tick = 0;
  #timer: Timer | undefined;
  #expectsAudio = false;
  #audioExpectedSince: Instant | undefined;
  #hasStopped = false;

  constructor(options: MediaSessionOptions) {
    this.#options = options;
    options.socket.onDatagram = (data, from, arrivedAt) =>
      this.#handleDatagram(data, from, arrivedAt);
  }

  /** True while frames are sent and played. */
  get isRunning(): boolean {
    return this.#timer !== undefined;
  }

  /** Begins (or, after a re-INVITE, goes on) with what was negotiated. */
  start(media: NegotiatedMedia): void {
    if (this.#hasStopped) return;
    this.#expectAudio(media.direction === "sendrecv" || media.direction === "recvonly");
    if (media.remote === undefined) return;
    if (this.#sender !== undefined) {
      this.#sender.remote = media.remote;
      this.#receiver?.moveTo(media.remote);
      return;
    }
    const codec = codecNamed(media.codecName);
    this.#frameMs = media.ptimeMs;
    const frameSamples = (codec.sampleRateHz * media.ptimeMs) / 1000;
    this.#sendFrame = new Int16Array(frameSamples);
    this.#heardFrame = new Int16Array(frameSamples);
    this.#openStreams(media, codec);
    this.#startClock(media, codec);
  }

  /** See `RtpSender.sendDigits`. */
  sendDigits(digits: string): Promise<void> {
    assert(this.#sender !== undefined, "the call was asked whether its media run");
    return this.#sender.sendDigits(digits);
  }

  /** Ends the ticks and states the counts; safe to call more than once. */
  stop(): void {
    this.#hasStopped = true;
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#timer = undefined;
    this.#sender?.stop();
    this.#recordStatistics();
  }

  /** Gives the port back. */
  release(): Promise<void> {
    return this.#options.socket.close();
  }

  /** The stereo recording so far; left and right as `RecordedAudio` says for this party. */
  recordedAudio(): RecordedAudio | undefined {
    return this.#recording?.audio();
  }

  /** The error for a peer that sent nothing for `silentMs`. */
  silenceError(silentMs: number): RemoteError {
    const received = this.#receiver?.statistics.snapshot().received ?? 0;
    return new RemoteError(
      "ERR_RTP_TIMEOUT",
      `No RTP came for ${Math.round(silentMs)} ms (limit ${this.#options.silentPeerLimitMs} ms) after ${received} packets. The peer vanished, or a firewall drops its packets.`,
      { context: { silentMs, limitMs: this.#options.silentPeerLimitMs, received } },
    );
  }

  #openStreams(media: NegotiatedMedia, codec: Codec): void {
    assert(media.remote !== undefined, "start() returned early without a remote address");
    const { socket, random, clock, record, onPacket, playoutDelayMs } = this.#options;
    const common = {
      socket,
      remote: media.remote,
      codec,
      frameMs: this.#frameMs,
      record,
      onPacket,
    };
    this.#sender = new RtpSender({
      ...common,
      payloadType: media.sendPayloadType,
      telephoneEventPayloadType: media.telephoneEvent?.sendPayloadType,
      random,
      now: () => clock.now(),
    });
    const codecs = new Map<number, Codec>();
    for (const [payloadType, name] of media.receivePayloadTypes) {
      codecs.set(payloadType, codecNamed(name));
    }
    this.#receiver = new RtpReceiver({
      ...common,
      codecs,
      telephoneEventPayloadType: media.telephoneEvent?.receivePayloadType,
      playoutDelayMs,
      onAudio: this.onIncomingAudio === undefined ? undefined : this.#passAudio,
      onSilence: this.#passSilence,
    });
  }

  #startClock(media: NegotiatedMedia, codec: Codec): void {
    const { clock, record, recordsAudio, party, socket, playoutDelayMs } = this.#options;
    const first = clock.now();
    const { sampleRateHz } = codec;
    this.#firstDeadline = first;
    this.#audioExpectedSince = first;
    this.#detector = new LiveSpeechDetector({ sampleRateHz, hangoverMs: HEARD_HANGOVER_MS });
    if (recordsAudio) {
      const startedAt = after(first, -this.#frameMs);
      const isBridged = this.onIncomingAudio !== undefined;
      this.#recording = new SessionRecording({ party, isBridged, startedAt, sampleRateHz });
      record({ kind: "recordingStarted", at: startedAt, sampleRateHz });
    }
    record({
      kind: "mediaStarted",
      at: first,
      codec: codec.name,
      payloadType: media.sendPayloadType,
      ...(media.telephoneEvent === undefined
        ? {}
        : { telephoneEventPayloadType: media.telephoneEvent.sendPayloadType }),
      ptimeMs: this.#frameMs,
      clockRateHz: codec.clockRateHz,
      sampleRateHz,
      local: `${socket.local.address}:${socket.local.port}`,
      remote: `${media.remote?.address ?? ""}:${media.remote?.port ?? 0}`,
      playoutDelayMs,
      ssrc: this.#sender?.ssrc ?? 0,
    });
    this.#arm();
  }

  #deadlineOf(tick: number): Instant {
    return after(this.#firstDeadline as Instant, tick * this.#frameMs);
  }

  #arm(): void {
    if (this.#hasStopped) return;
    this.#timer = this.#options.clock.setTimer(this.#deadlineOf(this.#tick), () => this.#run());
  }

  /** Runs every tick whose deadline has passed: normally one, more after a stall of the host. */
  #run(): void {
    const now = this.#options.clock.now();
    const elapsed = elapsedMs(this.#deadlineOf(0), now) + TIMER_EARLY_MS_MAX;
    const dueTick = Math.floor(elapsed / this.#frameMs);
    if (dueTick - this.#tick > CATCH_UP_FRAMES_MAX) this.#skipTo(dueTick);
    while (this.#tick <= dueTick && !this.#hasStopped) {
      this.#handleTick(this.#tick);
      this.#tick += 1;
    }
    this.#checkPeer(now);
    this.#arm();
  }

  /** The host stood still: those frames were neither sent nor heard in time, and count as missed. */
  #skipTo(tick: number): void {
    for (; this.#tick < tick; this.#tick += 1) {
      this.#receiver?.takeFrame(this.#heardFrame, this.#deadlineOf(this.#tick));
      this.#sender?.departures.add(
        elapsedMs(this.#deadlineOf(this.#tick), this.#options.clock.now()),
        this.#frameMs,
      );
    }
  }

  #handleTick(tick: number): void {
    const deadline = this.#deadlineOf(tick);
    this.source.fill(this.#sendFrame, deadline);
    this.#sender?.sendFrame(this.#sendFrame, deadline);
    this.#receiver?.handleTimeout(this.#options.clock.now());
    this.#receiver?.takeFrame(this.#heardFrame, deadline);
    this.#recording?.addTick(tick, this.#sendFrame, this.#heardFrame);
    this.#detect(tick);
  }

  readonly #passAudio = (samples: Int16Array, now: Instant): void => {
    this.#recording?.addIngress(samples, now);
    this.onIncomingAudio?.(samples, now);
  };

  readonly #passSilence = (count: number, now: Instant): void => {
    this.#recording?.skipIngress(count, now);
    this.onIncomingSilence?.(count, now);
  };

  #detect(tick: number): void {
    const detector = this.#detector;
    if (detector === undefined || this.onHeardSpeech === undefined) return;
    const event = detector.handleFrame(this.#heardFrame);
    if (event === undefined) return;
    const sample = event === "started" ? detector.lastOnsetSample : detector.lastOffsetSample;
    if (sample === undefined) return;
    const sampleRateHz = (this.#heardFrame.length * 1000) / this.#frameMs;
    const at = after(this.#deadlineOf(0), (sample / sampleRateHz) * 1000);
    // The fact's instant is when the detector knew; the estimate is handed on beside it.
    this.#options.record({ kind: "heardSpeech", event, at: this.#deadlineOf(tick) });
    this.onHeardSpeech(event, at);
  }

  #handleDatagram(
    data: Uint8Array,
    from: { readonly address: string; readonly port: number },
    arrivedAt: Instant,
  ): void {
    if (this.#hasStopped) return;
    const receiver = this.#receiver;
    if (receiver === undefined) return;
    const isFirst = receiver.lastArrivalAt === undefined;
    receiver.handleDatagram(data, from, arrivedAt);
    if (isFirst && receiver.lastArrivalAt !== undefined) {
      this.#options.record({
        kind: "rtpFlow",
        direction: "received",
        event: "first",
        at: arrivedAt,
      });
    }
  }

  /** A peer that was on hold has its full time again when it comes back. */
  #expectAudio(isExpected: boolean): void {
    if (isExpected && !this.#expectsAudio) this.#audioExpectedSince = this.#options.clock.now();
    this.#expectsAudio = isExpected;
  }

  #checkPeer(now: Instant): void {
    if (!this.#expectsAudio || this.#hasStopped) return;
    const since = this.#audioExpectedSince;
    if (since === undefined) return;
    const arrivedAt = this.#receiver?.lastArrivalAt ?? since;
    const last = arrivedAt > since ? arrivedAt : since;
    const silentMs = elapsedMs(last, now);
    if (silentMs < this.#options.silentPeerLimitMs) return;
    this.#expectsAudio = false;
    this.#options.record({ kind: "rtpFlow", direction: "received", event: "stopped", at: last });
    this.onSilentPeer?.(silentMs);
  }

  #recordStatistics(): void {
    const sender = this.#sender;
    const receiver = this.#receiver;
    if (sender === undefined || receiver === undefined) return;
    const network = receiver.statistics.snapshot();
    const { late, discarded } = receiver.counts;
    this.#options.record({
      kind: "mediaStatistics",
      at: this.#options.clock.now(),
      packetsSent: sender.packetsSent,
      bytesSent: sender.bytesSent,
      packetsReceived: network.received,
      packetsExpected: network.expected,
      lost: network.lost,
      late,
      discarded,
      duplicate: network.duplicate,
      outOfOrder: network.outOfOrder,
      malformed: receiver.malformed,
      foreign: receiver.foreign,
      interarrivalJitterMs: network.interarrivalJitterMs,
      concealedMs: receiver.concealedFrames * this.#frameMs,
      departureJitterMsP50: sender.departures.quantileMs(0.5),
      departureJitterMsP99: sender.departures.quantileMs(0.99),
      departureJitterMsMax: sender.departures.maxMs,
      missedDeadlines: sender.departures.missedDeadlines,
    });
  }
}
