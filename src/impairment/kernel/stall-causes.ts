import { after, elapsedMs, type Instant } from "../../environment/index.ts";
import type { StallCause } from "../ai-path.ts";
import type { FlowStall } from "./stall-watch.ts";
import { NO_TCP, type TcpCounters, type TcpSample, tcpCountersBetween } from "./tcp-counters.ts";

/** How often a namespace's counters are read. */
export const SAMPLE_MS = 20;

/** What waited so long accounts for half of the least stall. */
const WAIT_MS = 20;

/**
 * Why bytes were overdue, by what their sender's kernel counted from their writing to their arrival,
 * and by whether they had to wait before they were sent at all. Where several connections share a namespace it may be another one's doing.
 *
 * @param samples of the sender, in order.
 */
export function stallCauses(stall: FlowStall, samples: readonly TcpSample[]): StallCause[] {
  const hasWaited = elapsedMs(stall.writtenAt, stall.offeredAt) >= WAIT_MS;
  if (!stall.wasSentAgain && !hasWaited) return ["link"];
  // A sample tells what happened in the time before it.
  const until = after(stall.at, SAMPLE_MS);
  const { timeouts, tailLossProbes, fastRetransmissions } = tcpCountersBetween(
    countersAt(samples, stall.writtenAt),
    countersAt(samples, until),
  );
  const causes: StallCause[] = hasWaited ? ["congestionWindow"] : [];
  if (fastRetransmissions > 0) causes.push("fastRetransmission");
  if (tailLossProbes > 0) causes.push("tailLossProbe");
  if (timeouts > 0) causes.push("retransmissionTimeout");
  return causes;
}

function countersAt(samples: readonly TcpSample[], at: Instant): TcpCounters {
  return samples.findLast((sample) => sample.at <= at)?.counters ?? NO_TCP;
}
