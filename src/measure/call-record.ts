import type { Instant } from "../environment/index.ts";
import type { CallDescription, Fact } from "../timeline/index.ts";

/**
 * A stereo recording of one call at one socket, both channels on one sample clock: sample 0 of
 * each stands at `startedAt`.
 *
 * At the caller's socket, left is what the caller sent (a packet's last sample ends at its
 * departure: a sample cannot leave before it was spoken) and right what the caller heard after
 * its jitter buffer (a frame popped at T plays from T on). At the bot's socket, left is what
 * arrived from the caller and right what the bot sent (a frame starts at its departure).
 */
export interface RecordedAudio {
  readonly sampleRateHz: number;
  readonly startedAt: Instant;
  readonly left: Int16Array;
  readonly right: Int16Array;
}

/** All that is known of one call: what `measureCall` computes every figure from. */
export interface CallRecord {
  readonly description: CallDescription;
  readonly facts: readonly Fact[];
  /** The recording at the caller's socket. */
  readonly audio?: RecordedAudio;
  /** The recording at the bot's socket, where the bot is ours. */
  readonly botAudio?: RecordedAudio;
}
