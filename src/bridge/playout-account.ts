import type { Instant } from "../environment/index.ts";
import type { SpeechFlow } from "./playout-hold.ts";

/** One item (message) of a response: the unit in which a provider counts what was heard. */
export interface PlayoutItem {
  readonly itemId: string;
  receivedSamples: number;
  playedSamples: number;
}

/**
 * What has become of one response's audio. At any time
 * received = played + discarded + buffered.
 */
export class PlayoutAccount {
  readonly responseId: string;
  readonly items: PlayoutItem[] = [];
  receivedSamples = 0;
  playedSamples = 0;
  discardedSamples = 0;
  /** Its first frame has left. */
  started = false;
  lastFrameAt: Instant | undefined;
  /** No audio more to come of its present item: running dry is the end, not an underrun. */
  audioDone = false;
  /** No audio more to come at all. */
  responseDone = false;
  /** Its last frame has left, or it was flushed. */
  over = false;
  flushed = false;
  /** Nothing of it was there to be played, and it has not gone on since. */
  isDry = false;
  /** How its audio comes in; missing before the first. */
  flow: SpeechFlow | undefined;
  /** When it may be played: set by its first audio. */
  releaseAt: Instant | undefined;
  /** When it could have been, had nothing held it back. */
  playableAt: Instant | undefined;
  /** Of the present, or the last, stall: filled with more than silence. */
  concealedMs = 0;
  /** By how much it was spoken longer. */
  stretchedSamples = 0;
  overflowed = false;

  constructor(responseId: string) {
    this.responseId = responseId;
  }

  get bufferedSamples(): number {
    return this.receivedSamples - this.playedSamples - this.discardedSamples;
  }

  /** The item of that id, made where it is new. */
  item(itemId: string): PlayoutItem {
    // The one in use is nearly always the last.
    const known = this.items.findLast((item) => item.itemId === itemId);
    if (known !== undefined) return known;
    const item: PlayoutItem = { itemId, receivedSamples: 0, playedSamples: 0 };
    this.items.push(item);
    return item;
  }

  /**
   * Items that the provider believes were heard further than they were. The last item of a
   * response still in the making counts even if all that came of it was played: more may already
   * have been sent, which nobody will hear.
   */
  unheardItems(): readonly PlayoutItem[] {
    const last = this.items.at(-1);
    return this.items.filter(
      (item) => item.playedSamples < item.receivedSamples || (item === last && !this.responseDone),
    );
  }
}
