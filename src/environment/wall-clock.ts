/** ISO 8601 in UTC, e.g. "2026-11-22T15:04:05.678Z". For people; nothing is measured with it. */
export function isoText(wallClockMs: number): string {
  // oxlint-disable-next-line no-restricted-globals -- formats a given time; reads no clock.
  return new Date(wallClockMs).toISOString();
}

/** The wall clock's ms that a text in ISO 8601 names; NaN where it names none. */
export function isoTimeMs(text: string): number {
  // oxlint-disable-next-line no-restricted-globals -- reads a given text, and no clock.
  return Date.parse(text);
}
