import { elapsedMs, type Instant } from "../environment/index.ts";
import { type DrainRequest, DrainWaits } from "./drain-waits.ts";
import { PlayoutAccount, type PlayoutItem } from "./playout-account.ts";
import { PlayoutHold } from "./playout-hold.ts";
import type { PlayoutSettings } from "./playout-settings.ts";
import { PlayoutSound } from "./playout-sound.ts";
import { SampleRing } from "./sample-ring.ts";

/** What happened to the playout of a response. */
export interface PlayoutEvent {
  readonly type: "started" | "ended" | "flushed" | "underrun" | "resumed" | "overflow";
  readonly responseId: string;
  readonly at: Instant;
  /** Audio of this response that left so far; exact to the sample. */
  readonly playedMs: number;
  /** On `flushed` and `overflow`: audio of this response thrown away so far. */
  readonly discardedMs?: number;
  /** On `started`: by how much later it did than it could have, by the pre-buffer. */
  readonly heldMs?: number;
  /** On `resumed`, where stalls are concealed: how much of the gap was more than silence. */
  readonly concealedMs?: number;
  /** On `ended` and `flushed`, where it was spoken slower: by how much it took longer. */
  readonly stretchedMs?: number;
}

/** What a flush cut off of one response. */
export interface FlushedResponse {
  readonly responseId: string;
  readonly playedMs: number;
  readonly discardedMs: number;
  /** Items that the AI believes were heard further than they were. */
  readonly items: readonly { readonly itemId: string; readonly playedMs: number }[];
}

/** How an injection buffer is made. */
export interface InjectionBufferOptions {
  /** Rate of what goes in and of what comes out. */
  readonly sampleRateHz: number;
  /** Speech held at most. Default 120 000: a two-minute monologue delivered in one burst. */
  readonly capacityMs?: number;
  /** Whether speech is held back, and what is heard where it has run dry; default: neither. */
  readonly playout?: PlayoutSettings;
}

/** Samples over the whole life of a buffer: received = played + discarded + buffered. */
export interface PlayoutTotals {
  readonly receivedSamples: number;
  readonly playedSamples: number;
  readonly discardedSamples: number;
  readonly bufferedSamples: number;
}

interface Segment {
  readonly account: PlayoutAccount;
  readonly item: PlayoutItem;
  remainingSamples: number;
  isSkipped: boolean;
}

/** Responses remembered; older ones that are over are forgotten. */
const ACCOUNTS_MAX = 64;

/**
 * Owns the playout of the AI's speech: bursts in, one frame per 20 ms out, keyed by response.
 *
 * It knows to the sample how much of each response has left. A frame carries one response only:
 * the last frame of a response is padded with silence. It knows nothing of providers, of the
 * network or of the call.
 */
export class InjectionBuffer {
  readonly #sampleRateHz: number;
  readonly #ring: SampleRing;
  readonly #accounts = new Map<string, PlayoutAccount>();
  readonly #waits = new DrainWaits();
  readonly #segments: Segment[] = [];
  readonly #events: PlayoutEvent[] = [];
  readonly #hold: PlayoutHold;
  readonly #sound: PlayoutSound;
  #current: PlayoutAccount | undefined;
  #receivedSamples = 0;
  #playedSamples = 0;
  #discardedSamples = 0;
  #enqueuedSamples = 0;
  #dequeuedSamples = 0;

  constructor(options: InjectionBufferOptions) {
    this.#sampleRateHz = options.sampleRateHz;
    const capacityMs = options.capacityMs ?? 120_000;
    this.#ring = new SampleRing(this.#samples(capacityMs));
    const { preBuffer, concealment } = options.playout ?? {};
    this.#hold = new PlayoutHold(preBuffer);
    this.#sound = new PlayoutSound(options.sampleRateHz, concealment);
  }

  /** When `handleTimeout` is due. */
  get nextTimeout(): Instant | undefined {
    return this.#waits.nextTimeout;
  }

  get totals(): PlayoutTotals {
    return {
      receivedSamples: this.#receivedSamples,
      playedSamples: this.#playedSamples,
      discardedSamples: this.#discardedSamples,
      bufferedSamples: this.#receivedSamples - this.#playedSamples - this.#discardedSamples,
    };
  }

  /** Removes and returns the oldest event not yet taken. */
  takeOutput(): PlayoutEvent | undefined {
    return this.#events.length === 0 ? undefined : this.#events.shift();
  }

  /** A response has begun; known from here on, it is flushed even before its first audio. */
  handleResponseCreated(responseId: string): void {
    this.#account(responseId);
  }

  /** Queues speech. That of a flushed response is thrown away, that beyond the capacity, too. */
  handleAudio(responseId: string, itemId: string, samples: Int16Array, now: Instant): void {
    const account = this.#account(responseId);
    this.#receivedSamples += samples.length;
    account.receivedSamples += samples.length;
    if (account.flushed) {
      this.#discard(account, samples.length);
      return;
    }
    this.#holdBack(account, samples.length, now);
    account.audioDone = account.responseDone;
    account.over = false;
    const item = account.item(itemId);
    item.receivedSamples += samples.length;
    this.#enqueue(account, item, samples, now);
  }

  /** All audio of the response's present item has come. */
  handleAudioDone(responseId: string): void {
    const account = this.#accounts.get(responseId);
    if (account === undefined) return;
    this.#completeAudio(account);
  }

  /** The response is done: nothing more comes of it. */
  handleResponseDone(responseId: string): void {
    const account = this.#account(responseId);
    account.responseDone = true;
    this.#completeAudio(account);
    this.#waits.handleResponseDone(responseId, this.#enqueuedSamples);
  }

  /** The session has ended: nothing more comes of any response. What is queued is still played. */
  handleSessionEnd(): void {
    for (const responseId of this.#accounts.keys()) this.handleResponseDone(responseId);
  }

  /**
   * Fills `output` with the frame that leaves at `now`; called once per frame time.
   * @returns false where it is silence; what conceals a stall is none until it has faded.
   */
  takeFrame(output: Int16Array, now: Instant): boolean {
    // Before the frame is cut: what a wait saw leave has then been on the wire for a frame time.
    this.#waits.handlePosition(this.#dequeuedSamples);
    this.#waits.handleTimeout(now);
    this.#dropSkipped();
    const account = this.#pendingAccount ?? this.#segments[0]?.account;
    if (account === undefined || this.#isHeld(account, now)) {
      output.fill(0);
      if (account === undefined) this.#noteDry(this.#current, now);
      return this.#sound.fill(this.#current, output, 0);
    }
    this.#begin(account, now);
    const count = this.#sound.speak(account, output, (piece) => this.#cut(account, piece));
    output.fill(0, count);
    account.lastFrameAt = now;
    this.#endIfPlayed(account);
    if (count < output.length && account.bufferedSamples === 0) this.#noteDry(account, now);
    this.#sound.fill(account, output, count);
    return true;
  }

  /** Throws away what is queued (of one response, or all), and what may still come of it. */
  flush(now: Instant, responseId?: string): readonly FlushedResponse[] {
    const flushed: FlushedResponse[] = [];
    for (const account of this.#accounts.values()) {
      const isMeant = responseId === undefined || account.responseId === responseId;
      if (isMeant && !account.over) this.#flushAccount(account, now, flushed);
    }
    this.#dropSkipped();
    if (flushed.length > 0) this.#waits.settleAll("flushed");
    return flushed;
  }

  /** Waits until the speech queued now (and to come of `responseId`) has left; see DrainWaits. */
  waitForDrain(request: DrainRequest): void {
    const { responseId } = request;
    const account = responseId === undefined ? undefined : this.#account(responseId);
    const isComplete = account?.responseDone ?? true;
    this.#waits.add(request, isComplete ? this.#enqueuedSamples : undefined);
  }

  handleTimeout(now: Instant): void {
    this.#waits.handleTimeout(now);
  }

  /** Ends every wait. */
  close(): void {
    this.#waits.settleAll("closed");
  }

  #account(responseId: string): PlayoutAccount {
    const known = this.#accounts.get(responseId);
    if (known !== undefined) return known;
    const account = new PlayoutAccount(responseId);
    this.#accounts.set(responseId, account);
    this.#forgetOldAccounts(account);
    return account;
  }

  #forgetOldAccounts(newest: PlayoutAccount): void {
    for (const [responseId, account] of this.#accounts) {
      if (this.#accounts.size <= ACCOUNTS_MAX) return;
      const isNeeded = account === newest || account === this.#current;
      if (!isNeeded && account.bufferedSamples === 0) this.#accounts.delete(responseId);
    }
  }

  #enqueue(account: PlayoutAccount, item: PlayoutItem, samples: Int16Array, now: Instant): void {
    const taken = this.#ring.write(samples);
    this.#enqueuedSamples += taken;
    const last = this.#segments.at(-1);
    if (last !== undefined && last.item === item && !last.isSkipped) {
      last.remainingSamples += taken;
    } else if (taken > 0) {
      this.#segments.push({ account, item, remainingSamples: taken, isSkipped: false });
    }
    if (taken === samples.length) return;
    this.#discard(account, samples.length - taken);
    if (!account.overflowed) this.#emit("overflow", account, now);
    account.overflowed = true;
  }

  /** The response of which speech was made slower and has not all left. */
  get #pendingAccount(): PlayoutAccount | undefined {
    return this.#sound.pendingSamples > 0 ? this.#current : undefined;
  }

  /** Notes how its audio comes in; its first sets when it is played. */
  #holdBack(account: PlayoutAccount, samples: number, now: Instant): void {
    if (account.audioDone) account.flow = undefined;
    account.flow = this.#hold.handleAudio(account.flow, this.#ms(samples), now);
    account.releaseAt ??= this.#hold.releaseAt(now);
  }

  #completeAudio(account: PlayoutAccount): void {
    if (!account.audioDone && account.flow !== undefined) this.#hold.handleFlowEnd(account.flow);
    account.audioDone = true;
    this.#endIfPlayed(account);
  }

  /** Whether it is not to be played yet; what is complete need not wait. */
  #isHeld(account: PlayoutAccount, now: Instant): boolean {
    if (account.started) return false;
    account.playableAt ??= now;
    return !account.audioDone && account.releaseAt !== undefined && now < account.releaseAt;
  }

  #discard(account: PlayoutAccount, samples: number): void {
    account.discardedSamples += samples;
    this.#discardedSamples += samples;
  }

  /** Begins, or goes on with, the playout of a response. */
  #begin(account: PlayoutAccount, now: Instant): void {
    const previous = this.#current;
    if (previous !== account && previous !== undefined && !previous.over) {
      // Its successor has its turn: whatever may still come of it would be a new beginning.
      this.#end(previous);
    }
    this.#current = account;
    if (!account.started) {
      const heldMs = elapsedMs(account.playableAt ?? now, now);
      this.#emit("started", account, now, { heldMs });
    } else if (account.isDry) {
      const { concealedMs } = account;
      this.#emit("resumed", account, now, this.#sound.fills ? { concealedMs } : {});
    }
    account.started = true;
    account.isDry = false;
  }

  #cut(account: PlayoutAccount, output: Int16Array): number {
    let filled = 0;
    let segment = this.#segments[0];
    while (segment?.account === account && !segment.isSkipped && filled < output.length) {
      const count = Math.min(segment.remainingSamples, output.length - filled);
      this.#ring.read(output, filled, count);
      filled += count;
      segment.remainingSamples -= count;
      segment.item.playedSamples += count;
      if (segment.remainingSamples === 0) this.#segments.shift();
      segment = this.#segments[0];
    }
    this.#dequeuedSamples += filled;
    account.playedSamples += filled;
    this.#playedSamples += filled;
    return filled;
  }

  #endIfPlayed(account: PlayoutAccount): void {
    if (!account.audioDone || account.over || account.bufferedSamples > 0) return;
    if (account === this.#pendingAccount) return;
    if (account.started) this.#end(account);
    else account.over = account.responseDone;
  }

  /** The end may become known after the last frame has left; it stands where that frame left. */
  #end(account: PlayoutAccount): void {
    account.over = true;
    account.isDry = true;
    if (account.lastFrameAt !== undefined) this.#emit("ended", account, account.lastFrameAt);
  }

  #noteDry(account: PlayoutAccount | undefined, now: Instant): void {
    if (account === undefined || account.over || account.isDry) return;
    account.isDry = true;
    account.concealedMs = 0;
    this.#emit("underrun", account, now);
  }

  #flushAccount(account: PlayoutAccount, now: Instant, flushed: FlushedResponse[]): void {
    const hadAudio = account.receivedSamples > 0;
    const items = account.unheardItems().map((item) => ({
      itemId: item.itemId,
      playedMs: this.#ms(item.playedSamples),
    }));
    const discardedSamples = account.bufferedSamples;
    this.#discard(account, discardedSamples);
    for (const segment of this.#segments) {
      if (segment.account === account) segment.isSkipped = true;
    }
    if (account === this.#pendingAccount) this.#sound.dropPending();
    account.flushed = true;
    account.over = true;
    account.isDry = false;
    if (!hadAudio) return;
    this.#emit("flushed", account, now);
    flushed.push({
      responseId: account.responseId,
      playedMs: this.#ms(account.playedSamples),
      discardedMs: this.#ms(discardedSamples),
      items,
    });
  }

  /** Flushed speech leaves the ring when it comes to the front. */
  #dropSkipped(): void {
    while (this.#segments[0]?.isSkipped === true) {
      const { remainingSamples } = this.#segments[0];
      this.#ring.drop(remainingSamples);
      this.#dequeuedSamples += remainingSamples;
      this.#segments.shift();
    }
  }

  #emit(
    type: PlayoutEvent["type"],
    account: PlayoutAccount,
    at: Instant,
    more: Pick<PlayoutEvent, "heldMs" | "concealedMs"> = {},
  ): void {
    const isLossy = type === "flushed" || type === "overflow";
    const isSlowed = this.#sound.slows && (type === "flushed" || type === "ended");
    this.#events.push({
      type,
      responseId: account.responseId,
      at,
      playedMs: this.#ms(account.playedSamples),
      ...(isLossy ? { discardedMs: this.#ms(account.discardedSamples) } : {}),
      ...(isSlowed ? { stretchedMs: this.#ms(account.stretchedSamples) } : {}),
      ...more,
    });
  }

  #ms(samples: number): number {
    return (samples * 1000) / this.#sampleRateHz;
  }

  #samples(ms: number): number {
    return Math.ceil((ms * this.#sampleRateHz) / 1000);
  }
}
