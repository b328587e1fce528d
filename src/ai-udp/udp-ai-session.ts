import type { AiEvent, AiSession, WireTap } from "../bridge/index.ts";
import { after, type Clock, type Instant, type Timer } from "../environment/index.ts";
import type { AiPathCounts, Link, NetworkDirection } from "../impairment/index.ts";
import { AudioReceiver } from "./audio-receiver.ts";
import { AudioSender, type SentPacket } from "./audio-sender.ts";
import { SpeechPlaces } from "./speech-places.ts";

/** What carries a session. */
export interface UdpCarriage {
  readonly clock: Clock;
  readonly sent: Link<SentPacket>;
  readonly received: Link<SentPacket>;
  /** How long everything but audio takes, now. */
  readonly controlDelayMs: (direction: NetworkDirection) => number;
}

/** IPv4, UDP, and the tag of SRTP as WebRTC uses it; RTP's own header is in the packet. */
const OVERHEAD_BYTES = 20 + 8 + 10;
const CALLER = { responseId: "", itemId: "caller" };

/**
 * A session with an AI of which the audio travels as RTP packets of Opus over an injured network, both
 * ways; all else takes the network's mean delay and is never lost. So it stands for WebRTC to the
 * model, whatever the provider: what the AI sends in bursts leaves at its end as it is spoken.
 *
 * The ends of speech (`audioDone`, `turnDone`) are told when its last packet has been played, as they
 * would have come with it.
 */
export class UdpAiSession implements AiSession {
  onEvent: AiSession["onEvent"];
  readonly inputSampleRateHz: number;
  readonly outputSampleRateHz: number;
  readonly provider: string;
  readonly model?: string;
  readonly #session: AiSession;
  readonly #carriage: UdpCarriage;
  readonly #up: { readonly sender: AudioSender; readonly receiver: AudioReceiver };
  readonly #down: { readonly sender: AudioSender; readonly receiver: AudioReceiver };
  readonly #places = new SpeechPlaces();
  /** What is under way beside the audio, in order. */
  readonly #control: Record<
    NetworkDirection,
    { readonly dueAt: Instant; carry(at: Instant): void }[]
  > = { sent: [], received: [] };
  /** Ends of speech that has not been played yet. */
  readonly #held: Extract<AiEvent, { readonly responseId: string }>[] = [];
  #timer: Timer | undefined;
  #isReleased = false;
  #isServing = false;

  constructor(session: AiSession, carriage: UdpCarriage) {
    this.#session = session;
    this.#carriage = carriage;
    this.inputSampleRateHz = session.inputSampleRateHz;
    this.outputSampleRateHz = session.outputSampleRateHz;
    this.provider = session.provider;
    if (session.model !== undefined) this.model = session.model;
    this.#up = {
      sender: new AudioSender({ sampleRateHz: session.inputSampleRateHz, isPaced: false }),
      receiver: new AudioReceiver(session.inputSampleRateHz),
    };
    this.#down = {
      sender: new AudioSender({ sampleRateHz: session.outputSampleRateHz, isPaced: true }),
      receiver: new AudioReceiver(session.outputSampleRateHz),
    };
    session.onEvent = (event, at) => this.#handleAtAi(event, at);
  }

  /** What was made of the audio at the AI's end, and at ours. */
  get audioWork(): NonNullable<AiPathCounts["audio"]> {
    return { sent: this.#up.receiver.work, received: this.#down.receiver.work };
  }

  get supportsTruncation(): boolean {
    return this.#session.supportsTruncation ?? true;
  }

  /** As it left here: the AI's end counts the same audio, later. */
  get sentAudioMs(): number {
    return this.#up.sender.sentMs;
  }

  get counts(): Readonly<Record<string, number>> {
    return this.#session.counts ?? {};
  }

  get onWireMessage(): WireTap | undefined {
    return this.#session.onWireMessage;
  }

  set onWireMessage(tap: WireTap | undefined) {
    this.#session.onWireMessage = tap;
  }

  appendAudio(samples: Int16Array): void {
    if (this.#isReleased) return;
    this.#up.sender.push(CALLER, samples, this.#carriage.clock.now());
    this.#serve();
  }

  truncate(itemId: string, playedMs: number): void {
    this.#send(() => this.#session.truncate(itemId, playedMs));
  }

  cancelResponse(responseId: string): void {
    this.#places.drop(responseId);
    this.#send(() => {
      this.#down.sender.clear(responseId);
      this.#session.cancelResponse(responseId);
    });
  }

  sendToolResult(id: string, result: string, options: { readonly respond: boolean }): void {
    this.#send(() => this.#session.sendToolResult(id, result, options));
  }

  requestResponse(instructions?: string): void {
    this.#send(() => this.#session.requestResponse(instructions));
  }

  close(): void {
    this.#session.close();
  }

  /** Ends the carriage and gives its memory back; what is under way is lost. */
  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#timer?.cancel();
    for (const { sender, receiver } of [this.#up, this.#down]) {
      sender.release();
      receiver.release();
    }
  }

  /** At the AI's end. */
  #handleAtAi(event: AiEvent, at: Instant): void {
    if (this.#isReleased) {
      // The end of the session is told in any case; nothing else can be carried any more.
      if (event.type === "closed") this.onEvent?.(event, at);
      return;
    }
    const { sender } = this.#down;
    if (event.type === "audio") {
      const { responseId, itemId, samples } = event;
      sender.push({ responseId, itemId }, samples, at);
    } else {
      if (event.type === "audioDone" || event.type === "turnDone") sender.finish();
      if (event.type === "interrupted") sender.clear(event.responseId);
      this.#carry("received", (arrivedAt) => this.#handleHere(event, arrivedAt));
    }
    this.#serve();
  }

  /** At our end, once it has come. */
  #handleHere(event: AiEvent, at: Instant): void {
    if (event.type === "interrupted") this.#places.drop(event.responseId);
    if (event.type === "closed") for (const held of this.#held.splice(0)) this.onEvent?.(held, at);
    if (event.type === "audioDone" || event.type === "turnDone") this.#held.push(event);
    else this.onEvent?.(event, at);
  }

  #send(act: () => void): void {
    if (this.#isReleased) return;
    this.#carry("sent", act);
    this.#serve();
  }

  #carry(direction: NetworkDirection, carry: (at: Instant) => void): void {
    const { clock, controlDelayMs } = this.#carriage;
    const queue = this.#control[direction];
    const dueAt = after(clock.now(), controlDelayMs(direction));
    const last = queue.at(-1)?.dueAt;
    queue.push({ dueAt: last !== undefined && last > dueAt ? last : dueAt, carry });
  }

  /** Does all that is due. What it calls may call it again, which waits for the next turn of the loop. */
  #serve(): void {
    if (this.#isServing) return;
    this.#isServing = true;
    const now = this.#carriage.clock.now();
    try {
      this.#serveControl("sent", now);
      this.#serveUp(now);
      this.#serveDown(now);
      this.#serveControl("received", now);
      this.#serveHeld(now);
    } finally {
      this.#isServing = false;
    }
    this.#arm();
  }

  #serveControl(direction: NetworkDirection, now: Instant): void {
    const queue = this.#control[direction];
    while ((queue[0]?.dueAt ?? Infinity) <= now) queue.shift()?.carry(now);
  }

  #serveUp(now: Instant): void {
    const { sender, receiver } = this.#up;
    this.#transport(sender, receiver, { link: this.#carriage.sent, now });
    for (let audio = receiver.takeOutput(); audio !== undefined; audio = receiver.takeOutput()) {
      this.#session.appendAudio(audio.samples ?? new Int16Array(audio.sampleCount));
    }
  }

  #serveDown(now: Instant): void {
    const { sender, receiver } = this.#down;
    this.#transport(sender, receiver, { link: this.#carriage.received, now });
    for (let audio = receiver.takeOutput(); audio !== undefined; audio = receiver.takeOutput()) {
      const item = this.#places.itemAt(audio.timestamp);
      if (item === undefined || audio.samples === undefined) continue;
      this.onEvent?.({ type: "audio", ...item, samples: audio.samples }, now);
    }
  }

  #transport(
    sender: AudioSender,
    receiver: AudioReceiver,
    { link, now }: { readonly link: Link<SentPacket>; readonly now: Instant },
  ): void {
    if (this.#isReleased) return;
    sender.handleTimeout(now);
    for (let packet = sender.takeOutput(); packet !== undefined; packet = sender.takeOutput()) {
      if (sender === this.#down.sender) this.#places.note(packet, now);
      link.handlePacket(packet, packet.data.length + OVERHEAD_BYTES, now);
    }
    link.handleTimeout(now);
    for (let output = link.takeOutput(); output !== undefined; output = link.takeOutput()) {
      // A packet with a wrong bit does not pass the check of SRTP.
      if (!output.isCorrupted) receiver.handlePacket(output.packet.data, now);
    }
    receiver.handleTimeout(now);
  }

  /** Tells the ends of speech that has been played. */
  #serveHeld(now: Instant): void {
    const { sender, receiver } = this.#down;
    for (const event of this.#held.slice()) {
      const { responseId } = event;
      const isLeft = !sender.holds(responseId);
      if (!isLeft || !this.#places.isPlayed(responseId, receiver.cursor, now)) continue;
      this.#held.splice(this.#held.indexOf(event), 1);
      this.onEvent?.(event, now);
    }
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#isReleased) return;
    const dues = [
      this.#control.sent[0]?.dueAt,
      this.#control.received[0]?.dueAt,
      this.#carriage.sent.nextTimeout,
      this.#carriage.received.nextTimeout,
      this.#down.sender.nextTimeout,
      this.#up.receiver.nextTimeout,
      this.#down.receiver.nextTimeout,
    ].filter((each) => each !== undefined);
    if (this.#held.length > 0) dues.push(after(this.#carriage.clock.now(), HELD_LOOK_MS));
    const dueAt = dues.reduce<Instant | undefined>(
      (earliest, each) => (earliest === undefined || each < earliest ? each : earliest),
      undefined,
    );
    if (dueAt === undefined) return;
    this.#timer = this.#carriage.clock.setTimer(dueAt, () => this.#serve());
  }
}

/** How often ends that are held are looked at where nothing else happens. */
const HELD_LOOK_MS = 20;
