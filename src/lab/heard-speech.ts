import { MULAW } from "../codec/index.ts";
import { after, elapsedMs, type Instant } from "../environment/index.ts";
import { quantile, type RecordedAudio } from "../measure/index.ts";
import type { CapturedRtp } from "./captured-packets.ts";
import type { SentSpeech } from "./sent-speech.ts";

/** A delay of the jitter buffer, network included, is looked for up to this. */
const DELIVERY_MS_MAX = 400;
/** What was kept from its tick by a busy host is recorded where it was due, at most so much before. */
const EARLY_MS_MAX = 100;
/** Packets of speech from which a concealer makes more (G.711 Appendix I keeps 48.75 ms). */
const HISTORY_PACKETS = 3;
/** From concealment back to what arrives takes so much of a packet (ibid.: up to 10 ms). */
const CROSSFADE_SHARE = 0.5;

/**
 * Where speech that was sent stands in what was heard, bit for bit: no detector is asked, no fact
 * believed, and a packet that left late but in time for the jitter buffer makes no difference, as it
 * makes none to the ear.
 */
export class HeardSpeech {
  /** Of the frames that could be located: departure → heard. */
  readonly deliveriesMs: readonly number[];
  readonly #sent: SentSpeech;
  readonly #audio: RecordedAudio;
  /** Of each frame: the sample of the recording at which it stands; where it tells, and was found. */
  readonly #located: readonly (number | undefined)[];

  private constructor(
    sent: SentSpeech,
    audio: RecordedAudio,
    located: readonly (number | undefined)[],
  ) {
    this.#sent = sent;
    this.#audio = audio;
    this.#located = located;
    this.deliveriesMs = sent.frames.flatMap(({ packet }, index) => {
      const position = located[index];
      return position === undefined ? [] : [elapsedMs(packet.at, this.#instantOf(position))];
    });
  }

  /** @returns `undefined` where none of it is heard as it was sent. */
  static locate(sent: SentSpeech, audio: RecordedAudio): HeardSpeech | undefined {
    const perMs = audio.sampleRateHz / 1000;
    const located = sent.frames.map(({ packet, isDistinct }) => {
      if (!isDistinct) return undefined;
      const leftAt = Math.floor(elapsedMs(audio.startedAt, packet.at) * perMs);
      const from = Math.max(0, leftAt - EARLY_MS_MAX * perMs);
      return positionOf(samplesOf(packet), audio.right, {
        from,
        until: leftAt + DELIVERY_MS_MAX * perMs,
      });
    });
    const isFound = located.some((position) => position !== undefined);
    return isFound ? new HeardSpeech(sent, audio, located) : undefined;
  }

  /** When the first of its samples that is heard is heard. */
  get startAt(): Instant {
    return this.#instantOf(this.#placeOf(this.#firstHeard));
  }

  /**
   * When the last speech is heard: at the earliest the end of the last frame that is heard as it was
   * sent. Where frames there or soon after were lost, it may be as late as the end of what the
   * concealer made in their place, of speech that it still had.
   */
  get end(): { readonly earliest: Instant; readonly latest: Instant } {
    const { frameSamples, frames, sampleCount } = this.#sent;
    const last = this.#lastHeard;
    const begin = frames[last]?.firstSample ?? 0;
    const length = Math.min(frameSamples, sampleCount - begin);
    const earliest = this.#instantOf(this.#placeOf(last) + length);
    return { earliest, latest: this.#concealedUntil() ?? earliest };
  }

  /** Whether a frame at the edges was lost, so that the first or last sample is not heard as such. */
  get hasLostEdge(): boolean {
    const isWhole = this.#firstHeard === 0 && this.#lastHeard === this.#sent.frames.length - 1;
    return !isWhole || this.#concealedUntil() !== undefined;
  }

  get #firstHeard(): number {
    return this.#sent.frames.findIndex((_, index) => this.#isHeard(index));
  }

  get #lastHeard(): number {
    return this.#sent.frames.findLastIndex((_, index) => this.#isHeard(index));
  }

  /** When concealment of losses soon after the last frame has ended; `undefined`: nothing was lost. */
  #concealedUntil(): Instant | undefined {
    const { packets } = this.#sent;
    let untilAt: Instant | undefined;
    let limit = this.#lastHeard + 1 + HISTORY_PACKETS;
    for (let index = this.#lastHeard + 1; index < Math.min(limit, packets.length); index += 1) {
      if (this.#isHeard(index, 0)) continue;
      while (index < packets.length && !this.#isHeard(index, 0)) index += 1;
      if (index === packets.length) break;
      untilAt = this.#instantOf(this.#placeOf(index));
      limit = index + HISTORY_PACKETS;
    }
    return untilAt;
  }

  /**
   * Whether a packet's frame is heard as it was sent.
   *
   * @param from the share of it that may be another sound: half, where a cross-fade may come before.
   */
  #isHeard(index: number, from = CROSSFADE_SHARE): boolean {
    const samples = samplesOf(this.#sent.packets[index] as CapturedRtp);
    const first = Math.floor(samples.length * from);
    return standsAt(samples.subarray(first), this.#audio.right, this.#placeOf(index) + first);
  }

  /** Where a packet's frame belongs, by the nearest one that was located. */
  #placeOf(index: number): number {
    let nearest = 0;
    let distance = Infinity;
    for (const [other, position] of this.#located.entries()) {
      if (position === undefined || Math.abs(index - other) >= distance) continue;
      distance = Math.abs(index - other);
      nearest = other;
    }
    const { packets } = this.#sent;
    const from = packets[nearest]?.timestamp ?? 0;
    const to = packets[index]?.timestamp ?? 0;
    // A tick of G.711 is a sample; the difference may pass 2³².
    return (this.#located[nearest] ?? 0) + ((to - from) | 0);
  }

  #instantOf(position: number): Instant {
    return after(this.#audio.startedAt, (position * 1000) / this.#audio.sampleRateHz);
  }
}

/** The median departure → heard, and how far it moved: between the halves of the stretches. */
export function deliveryOf(stretches: readonly HeardSpeech[]): {
  readonly medianMs: number;
  readonly movedMs: number;
} {
  const all = stretches.map(({ deliveriesMs }) => deliveriesMs);
  const medians = all.flatMap((each) => {
    const middle = Math.ceil(each.length / 2);
    return [each.slice(0, middle), each.slice(middle)].flatMap((half) =>
      half.length === 0 ? [] : [median(half)],
    );
  });
  return {
    medianMs: median(all.flat()),
    movedMs: Math.max(...medians) - Math.min(...medians),
  };
}

function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

function samplesOf({ payload }: CapturedRtp): Int16Array {
  const samples = new Int16Array(payload.length);
  MULAW.expand(payload, samples);
  return samples;
}

function positionOf(
  wanted: Int16Array,
  heard: Int16Array,
  { from, until }: { readonly from: number; readonly until: number },
): number | undefined {
  const last = Math.min(until, heard.length - wanted.length);
  for (let position = from; position <= last; position += 1) {
    if (standsAt(wanted, heard, position)) return position;
  }
  return undefined;
}

function standsAt(wanted: Int16Array, heard: Int16Array, position: number): boolean {
  return wanted.every((sample, index) => sample === heard[position + index]);
}
