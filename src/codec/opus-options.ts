import { UsageError } from "../environment/index.ts";
import type { OpusOptions } from "./codec.ts";

const RANGES = {
  bitrateBps: [6000, 510_000],
  complexity: [0, 10],
  expectedLossPercent: [0, 100],
} as const;

/**
 * Refuses what libopus would refuse in the middle of a call.
 *
 * @throws UsageError ERR_INVALID_OPUS_OPTIONS naming the option and its range.
 */
export function checkOpusOptions(options: OpusOptions): void {
  for (const name of ["bitrateBps", "complexity", "expectedLossPercent"] as const) {
    const value = options[name];
    const [min, max] = RANGES[name];
    if (value === undefined || (Number.isInteger(value) && value >= min && value <= max)) continue;
    throw new UsageError(
      "ERR_INVALID_OPUS_OPTIONS",
      `The Opus option ${name} must be a whole number from ${min} to ${max}.`,
      { context: { option: name, value } },
    );
  }
}
