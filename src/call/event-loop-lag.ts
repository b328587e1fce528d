/** How late the event loop of a thread was. */
export interface EventLoopLag {
  readonly p99Ms: number;
  readonly maxMs: number;
}
