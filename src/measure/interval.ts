/** The range in which a value lies with the given confidence. */
export interface Interval {
  readonly low: number;
  readonly high: number;
  readonly confidence: number;
}
