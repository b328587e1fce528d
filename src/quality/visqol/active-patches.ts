/** Frames to a patch. */
export const PATCH_FRAMES = 20;
/** Where the first patch of the reference begins. */
const FIRST_FRAME = PATCH_FRAMES / 2 - 1;
/** RMS of 16-bit samples, of a signal whose highest sample is at full scale. */
const ACTIVE_RMS = 5000;
/** A frame is silent only if it and the two before it are soft. */
const SILENT_FRAMES = 3;

/**
 * The frames at which the reference's patches begin: one after another, without those in which
 * nobody speaks. The speech is looked for from sample 9 on, where frame 9 would be meant; the
 * original does so, and its conformance values rest on that.
 */
export function activePatches(
  reference: Float64Array,
  hopSamples: number,
  frames: number,
): number[] {
  const highest = reference.reduce((a, b) => Math.max(a, b), -Infinity);
  const count = Math.max(0, Math.floor((frames - FIRST_FRAME) / PATCH_FRAMES));
  const activity = voiceActivity(
    Float64Array.from(reference.subarray(FIRST_FRAME), (sample) => to16Bits(sample / highest)),
    hopSamples,
    count * PATCH_FRAMES,
  );
  return Array.from({ length: count }, (_, patch) => patch * PATCH_FRAMES)
    .filter((start) => activity.slice(start, start + PATCH_FRAMES).includes(true))
    .map((start) => FIRST_FRAME + start);
}

/** Whether somebody speaks, frame by frame; the first two count as speech. */
export function voiceActivity(
  samples: Float64Array,
  frameSamples: number,
  frames: number,
): boolean[] {
  const loud = Array.from({ length: frames }, (_, frame) => {
    const part = samples.subarray(frame * frameSamples, (frame + 1) * frameSamples);
    const meanSquare = part.reduce((sum, sample) => sum + sample * sample, 0) / part.length;
    return Math.sqrt(meanSquare) >= ACTIVE_RMS;
  });
  return loud.map(
    (_, frame) =>
      frame < SILENT_FRAMES - 1 || loud.slice(frame - SILENT_FRAMES + 1, frame + 1).includes(true),
  );
}

function to16Bits(sample: number): number {
  return Math.trunc(Math.max(-32_768, Math.min(32_767, sample * 32_768)));
}
