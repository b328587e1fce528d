import { codecOf } from "../codec/index.ts";
import {
  after,
  assert,
  type Clock,
  type Cryptography,
  elapsedMs,
  type Instant,
  type Random,
  RemoteError,
} from "../environment/index.ts";
import type { RecordedAudio } from "../measure/index.ts";
import { type PlayoutDelay, startingDelayMs } from "../rtp/index.ts";
import type { NegotiatedMedia } from "../sdp/index.ts";
import type { FactSink, Party } from "../timeline/index.ts";
import { type AudioSource, SILENT_SOURCE } from "./audio-source.ts";
import type { DigitRequest } from "./digit-transmission.ts";
import { FrameClock } from "./frame-clock.ts";
import type { FrameWheel } from "./frame-wheel.ts";
import { HeardAudio } from "./heard-audio.ts";
import { IngressPath } from "./ingress-path.ts";
import { DEFAULT_PLAYOUT_DELAY, type MediaSettings } from "./media-settings.ts";
import { mediaStatistics } from "./media-statistics.ts";
import { MediaStreams, receivedFormats } from "./media-streams.ts";
import type { PacketTap } from "./packet-writer.ts";
import { PeerWatch } from "./peer-watch.ts";
import { PlayoutPath } from "./playout-path.ts";
import type { MediaSockets } from "./rtp-ports.ts";
import { SessionRecording } from "./session-recording.ts";
import { voipMetricsOf } from "./voip-metrics.ts";

/** How a media session is made; everything negotiated comes with `start`. */
export interface MediaSessionOptions {
  readonly party: Party;
  readonly clock: Clock;
  readonly random: Random;
  readonly cryptography: Cryptography;
  /** Shared by the sessions of a thread. */
  readonly wheel: FrameWheel;
  readonly sockets: MediaSockets;
  readonly settings: MediaSettings;
  readonly record: FactSink;
  readonly recordsAudio: boolean;
  /** The peer counts as vanished when nothing came for this long. */
  readonly silentPeerLimitMs: number;
  readonly onPacket?: PacketTap;
}

/** What runs once media are agreed on. */
interface RunningMedia {
  readonly sampleRateHz: number;
  readonly streams: MediaStreams;
  /** To the ear; absent where an AI listens instead. */
  readonly playout: PlayoutPath | undefined;
  readonly ingress: IngressPath | undefined;
  readonly clock: FrameClock;
  readonly recording: SessionRecording | undefined;
  readonly heard: HeardAudio;
  sendFrame: Int16Array;
  heardFrame: Int16Array;
}

/**
 * The media of one call: sends and plays one frame per deadline, on absolute deadlines.
 *
 * Everything that is timed happens here and nowhere else: a tick's deadline stands for both
 * channels of the recording, so that what was sent and what was heard share one clock. The
 * session's sample rate is that of the first codec agreed on, whatever comes later.
 */
export class MediaSession {
  source: AudioSource = SILENT_SOURCE;
  /** The low-latency path for a bridge; set before `start`. */
  onIncomingAudio: ((samples: Int16Array, now: Instant) => void) | undefined;
  onIncomingSilence: ((samples: number, now: Instant) => void) | undefined;
  /** Coarse, live: what the other side does as heard. Steers scenarios, never figures. */
  onHeardSpeech: ((event: "started" | "stopped", at: Instant) => void) | undefined;
  /** What is heard, frame by frame, each after its counterpart was sent. */
  onHeardFrame: ((frame: Int16Array, now: Instant) => void) | undefined;
  onSilentPeer: ((silentMs: number) => void) | undefined;
  readonly #options: MediaSessionOptions;
  readonly #peer: PeerWatch;
  readonly #delay: PlayoutDelay;
  #running: RunningMedia | undefined;
  #hasReceived = false;
  #hasSent = false;
  #hasStopped = false;

  constructor(options: MediaSessionOptions) {
    const { sockets, silentPeerLimitMs } = options;
    this.#options = options;
    this.#delay = options.settings.jitterBuffer ?? DEFAULT_PLAYOUT_DELAY;
    this.#peer = new PeerWatch(sockets.rtp, silentPeerLimitMs);
    sockets.rtp.onError = (error) => this.#handleSocketError(error);
  }

  /** True while frames are sent and played. */
  get isRunning(): boolean {
    return this.#running !== undefined && !this.#hasStopped;
  }

  /** Begins (or goes on) with what was negotiated. `isEarly`: the call is not answered yet. */
  start(media: NegotiatedMedia, isEarly = false): void {
    if (this.#hasStopped) return;
    // A peer that holds us ("sendonly") may play music or, as baresip does, send nothing at all.
    this.#peer.expect(media.direction === "sendrecv", this.#options.clock.now(), isEarly);
    if (this.#running === undefined) this.#begin(media);
    else this.#change(this.#running, media);
    if (media.rtcpMux) this.#closeRtcpSocket();
  }

  /** The call was answered: from now on, a peer whose media began early has to be heard. */
  handleAnswered(): void {
    this.#peer.handleAnswered(this.#options.clock.now());
  }

  /**
   * Presses keys in the media; resolves when the last has been sent.
   * @throws UsageError ERR_DIGIT_UNKNOWN; RemoteError ERR_NO_TELEPHONE_EVENT.
   */
  sendDigits(request: DigitRequest): Promise<void> {
    assert(this.#running !== undefined, "the call was asked whether its media run");
    return this.#running.streams.sender.sendDigits(request);
  }

  /** Ends the ticks and states the counts; safe to call more than once. */
  stop(): void {
    if (this.#hasStopped) return;
    this.#hasStopped = true;
    const running = this.#running;
    if (running === undefined) return;
    const now = this.#options.clock.now();
    running.clock.stop();
    running.streams.stop(now);
    running.heard.end();
    running.playout?.end(now);
    this.#options.record(mediaStatistics(running, now));
    running.playout?.release();
    running.ingress?.release();
  }

  /** Gives the ports back. */
  async release(): Promise<void> {
    const { rtp, rtcp } = this.#options.sockets;
    await Promise.all([rtp.close(), rtcp?.close()]);
  }

  /** The stereo recording so far; left and right as `RecordedAudio` says for this party. */
  recordedAudio(): RecordedAudio | undefined {
    return this.#running?.recording?.audio();
  }

  /** The worst deviation of a packet's departure from its deadline since this was last asked. */
  takeDepartureJitterMs(): number {
    return this.#running?.streams.sender.departures.takeRecentMaxMs() ?? 0;
  }

  /** The error for a peer that sent nothing for `silentMs`. */
  silenceError(silentMs: number): RemoteError {
    const streams = this.#running?.streams;
    const received = streams?.receiver.statistics.snapshot().received ?? 0;
    const foreign = streams?.foreign ?? 0;
    const limitMs = this.#options.silentPeerLimitMs;
    const { unreachable } = this.#peer;
    const context = { silentMs, limitMs, received, foreign };
    if (unreachable !== undefined) {
      return new RemoteError(
        "ERR_RTP_UNREACHABLE",
        `The peer's host says that nobody takes RTP there any more (${unreachable}), and none came for ${Math.round(silentMs)} ms. The peer's media process died, or its port was closed.`,
        { context },
      );
    }
    const srtpRejected = streams?.srtpRejected ?? 0;
    if (received === 0 && srtpRejected > 0) {
      return new RemoteError(
        "ERR_SRTP_UNREADABLE",
        `${srtpRejected} encrypted packets came and none could be read in ${Math.round(silentMs)} ms: the peer encrypts with another key or suite than it said in its SDP.`,
        { context: { ...context, srtpRejected } },
      );
    }
    const elsewhere =
      foreign === 0
        ? "The peer vanished, or a firewall drops its packets."
        : `${foreign} packets came from another address than the one agreed on: follow the source (followsSource) if the peer sits behind a NAT.`;
    return new RemoteError(
      "ERR_RTP_TIMEOUT",
      `No RTP came for ${Math.round(silentMs)} ms (limit ${limitMs} ms) after ${received} packets. ${elsewhere}`,
      { context },
    );
  }

  #begin(media: NegotiatedMedia): void {
    const { remote } = media;
    if (remote === undefined) return;
    const { clock, wheel, onPacket } = this.#options;
    const { sampleRateHz } = codecOf(media.send.codecId);
    const paths = this.#openPaths(media, sampleRateHz);
    const path = paths.playout ?? paths.ingress;
    assert(path !== undefined, "one of the two paths is open");
    const streams = new MediaStreams(
      {
        sampleRateHz,
        path,
        ...this.#options,
        onPacket,
        voipMetrics: (roundTripMs) =>
          paths.playout && voipMetricsOf(paths.playout, { roundTripMs, delay: this.#delay }),
      },
      media,
      remote,
    );
    const { ptimeMs } = streams.sender.format.encoder;
    const now = clock.now();
    const first = wheel.phases.choose(now, ptimeMs);
    // No spread: in V8 each object that begins with one has a hidden class of its own, and what
    // every call reads in every frame would be looked up slowly.
    this.#running = {
      playout: paths.playout,
      ingress: paths.ingress,
      sampleRateHz,
      streams,
      recording: this.#openRecording(sampleRateHz, after(first, -ptimeMs)),
      heard: this.#openHeard(sampleRateHz, first),
      clock: new FrameClock(wheel, this.#frames, { first, frameMs: ptimeMs }),
      sendFrame: new Int16Array((sampleRateHz * ptimeMs) / 1000),
      heardFrame: new Int16Array((sampleRateHz * ptimeMs) / 1000),
    };
    this.source.begin?.({ sampleRateHz, frameMs: ptimeMs });
    this.#watchArrivals();
    this.#recordStart(media, now);
  }

  #change(running: RunningMedia, media: NegotiatedMedia): void {
    running.streams.reconfigure(media);
    const { sampleRateHz } = running;
    const { ptimeMs } = running.streams.sender.format.encoder;
    if (ptimeMs !== running.clock.frameMs) {
      running.clock.frameMs = ptimeMs;
      running.sendFrame = new Int16Array((sampleRateHz * ptimeMs) / 1000);
      running.heardFrame = new Int16Array((sampleRateHz * ptimeMs) / 1000);
      this.source.begin?.({ sampleRateHz, frameMs: ptimeMs });
    }
    this.#options.record({
      kind: "mediaChanged",
      at: this.#options.clock.now(),
      codec: media.send.codecId,
      payloadType: media.send.payloadType,
      ptimeMs,
      direction: media.direction,
      ...(media.remote === undefined
        ? {}
        : { remote: `${media.remote.address}:${media.remote.port}` }),
      ...(media.srtp === undefined ? {} : { srtpSuite: media.srtp.send.suite }),
    });
  }

  /** A bridge's ear is its AI, which no jitter buffer delays; anybody else hears the playout. */
  #openPaths(
    media: NegotiatedMedia,
    sampleRateHz: number,
  ): Pick<RunningMedia, "playout" | "ingress"> {
    const { random } = this.#options;
    const formats = receivedFormats(media);
    if (this.onIncomingAudio === undefined) {
      const delay = this.#delay;
      const playout = new PlayoutPath({ formats, sampleRateHz, random, delay });
      return { playout, ingress: undefined };
    }
    const ingress = new IngressPath({
      formats,
      sampleRateHz,
      random,
      onAudio: this.#passAudio,
      onSilence: this.#passSilence,
    });
    return { playout: undefined, ingress };
  }

  #openRecording(sampleRateHz: number, startedAt: Instant): SessionRecording | undefined {
    const { recordsAudio, party, record } = this.#options;
    if (!recordsAudio) return undefined;
    record({ kind: "recordingStarted", at: startedAt, sampleRateHz });
    const isBridged = this.onIncomingAudio !== undefined;
    return new SessionRecording({ party, isBridged, startedAt, sampleRateHz });
  }

  #openHeard(sampleRateHz: number, startedAt: Instant): HeardAudio {
    const { record, settings } = this.#options;
    return new HeardAudio({
      sampleRateHz,
      startedAt,
      record,
      hearsTones: settings.hearsTones ?? true,
      onSpeech: this.onHeardSpeech,
    });
  }

  /** The first packet of each call is told of, whatever listens for datagrams. */
  #watchArrivals(): void {
    const { rtp } = this.#options.sockets;
    const handle = rtp.onDatagram;
    rtp.onDatagram = (data, from, at) => {
      if (this.#hasStopped) return;
      handle?.(data, from, at);
      if (this.#hasReceived || this.#running?.streams.receiver.lastArrivalAt === undefined) return;
      this.#hasReceived = true;
      rtp.onDatagram = handle;
      this.#options.record({ kind: "rtpFlow", direction: "received", event: "first", at });
    };
  }

  #recordStart(media: NegotiatedMedia, at: Instant): void {
    const { record, sockets } = this.#options;
    const running = this.#running;
    assert(running !== undefined, "it was just begun");
    const { codec, payloadType, telephoneEvent, encoder } = running.streams.sender.format;
    const { local } = sockets.rtp;
    record({
      kind: "mediaStarted",
      at,
      codec: codec.id,
      payloadType,
      ...(telephoneEvent === undefined
        ? {}
        : { telephoneEventPayloadType: telephoneEvent.payloadType }),
      ptimeMs: encoder.ptimeMs,
      clockRateHz: codec.clockRateHz,
      sampleRateHz: running.sampleRateHz,
      local: `${local.address}:${local.port}`,
      remote: `${media.remote?.address ?? ""}:${media.remote?.port ?? 0}`,
      playoutDelayMs: startingDelayMs(this.#delay),
      jitterBuffer: this.#delay.kind,
      ssrc: running.streams.sender.ssrc,
      ...(media.srtp === undefined ? {} : { srtpSuite: media.srtp.send.suite }),
      rtcp: running.streams.rtcp === undefined ? "off" : media.rtcpMux ? "mux" : "separate",
    });
  }

  /** Bound for the case that the peer cannot multiplex; it can. */
  #closeRtcpSocket(): void {
    void this.#options.sockets.rtcp?.close();
  }

  readonly #frames = {
    handleFrame: (deadline: Instant): void => this.#handleFrame(deadline),
    finishFrame: (deadline: Instant, unreadSince?: Instant): void => {
      this.#finishFrame(deadline, unreadSince);
    },
    skipFrame: (deadline: Instant, now: Instant): void => this.#skipFrame(deadline, now),
    afterFrames: (readUntil: Instant): void => this.#checkPeer(readUntil),
  };

  #handleFrame(deadline: Instant): void {
    const running = this.#running;
    if (running === undefined) return;
    const { streams, sendFrame } = running;
    this.source.fill(sendFrame, deadline, this.#options.clock.now());
    const sent = streams.sender.sendFrame(sendFrame, deadline);
    if (!this.#hasSent && sent !== "nothing") this.#noteFirstSent(this.#options.clock.now());
    // What an event replaced was not sent.
    if (sent === "event") sendFrame.fill(0);
  }

  #finishFrame(deadline: Instant, unreadSince: Instant | undefined): void {
    const running = this.#running;
    if (running === undefined || this.#hasStopped) return;
    const { streams, sendFrame, heardFrame, recording } = running;
    const now = this.#options.clock.now();
    if (unreadSince === undefined) running.ingress?.handleTimeout(now);
    else running.ingress?.handleStall(unreadSince, now);
    running.playout?.takeFrame(heardFrame, deadline);
    streams.handleTick(now, unreadSince ?? now);
    recording?.addTick(sendFrame, running.playout === undefined ? undefined : heardFrame);
    if (running.playout === undefined) return;
    running.heard.handleFrame(heardFrame, deadline);
    this.onHeardFrame?.(heardFrame, now);
  }

  #noteFirstSent(at: Instant): void {
    this.#hasSent = true;
    this.#options.record({ kind: "rtpFlow", direction: "sent", event: "first", at });
  }

  #skipFrame(deadline: Instant, now: Instant): void {
    const running = this.#running;
    if (running === undefined) return;
    running.playout?.takeFrame(running.heardFrame, deadline);
    if (running.playout !== undefined) this.onHeardFrame?.(running.heardFrame, now);
    running.sendFrame.fill(0);
    running.recording?.addTick(
      running.sendFrame,
      running.playout === undefined ? undefined : running.heardFrame,
    );
    running.streams.sender.departures.add(elapsedMs(deadline, now), running.clock.frameMs);
  }

  readonly #passAudio = (samples: Int16Array, now: Instant): void => {
    this.#running?.recording?.addIngress(samples, now);
    this.#running?.heard.handleSamples(samples, now);
    this.onIncomingAudio?.(samples, now);
  };

  readonly #passSilence = (count: number, now: Instant): void => {
    this.#running?.recording?.skipIngress(count, now);
    this.#running?.heard.handleSilence(count, now);
    this.onIncomingSilence?.(count, now);
  };

  #checkPeer(now: Instant): void {
    const streams = this.#running?.streams;
    if (streams === undefined || this.#hasStopped) return;
    const silence = this.#peer.check(streams.receiver.lastArrivalAt, streams.source, now);
    if (silence === undefined) return;
    const { since, silentMs } = silence;
    this.#options.record({ kind: "rtpFlow", direction: "received", event: "stopped", at: since });
    this.onSilentPeer?.(silentMs);
  }

  #handleSocketError(error: Error): void {
    this.#peer.handleError(error);
    if (this.#running !== undefined) this.#running.streams.sendErrors += 1;
  }
}
