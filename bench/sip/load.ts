import type { EndpointReport } from "./endpoint-process.ts";

/** How many calls, how fast, how long. */
export interface Load {
  readonly calls: number;
  readonly callsPerSecond: number;
  readonly holdMs: number;
}

/** What a run came to. */
export interface RunResult
  extends Pick<
    EndpointReport,
    "cpuMsPerCall" | "setupMs" | "retransmissions" | "loopLagMs" | "residentMiB"
  > {
  readonly failed: number;
  readonly sippCpuMsPerCall: number;
}
