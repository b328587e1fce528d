/** ISO 8601 in UTC, e.g. "2026-11-22T15:04:05.678Z". For people; nothing is measured with it. */
export function isoText(wallClockMs: number): string {
  // oxlint-disable-next-line no-restricted-globals -- formats a given time; reads no clock.
  return new Date(wallClockMs).toISOString();
}
