/** The burst and gap figures of an RTCP XR VoIP metrics block (RFC 3611 §4.7.2). */
export interface BurstMetrics {
  /** Share of the packets within bursts that were lost or discarded, 0–1. */
  readonly burstDensity: number;
  /** The same for the gaps between bursts. */
  readonly gapDensity: number;
  /** Mean duration of a burst; 0 without any. */
  readonly burstDurationMs: number;
  /** Mean duration of a gap. */
  readonly gapDurationMs: number;
  readonly bursts: number;
  /** Runs of packets in a row that were lost or discarded: for the burst ratio of G.107. */
  readonly lossRuns: number;
}

/** So many good packets in a row end a burst: the default of RFC 3611 §4.7.2. */
export const BURST_GMIN = 16;

/** Packets of one kind of stretch, and how many of them were bad. */
interface Stretch {
  count: number;
  packets: number;
  bad: number;
}

/**
 * Tells bursts of loss from single losses (RFC 3611 §4.7.2): a burst begins and ends with a lost
 * or discarded packet and has fewer than Gmin good ones in a row; all else is gap. It counts
 * packets instead of estimating densities from a Markov model as A.2 there does.
 *
 * It takes each packet of the stream once, in the order of sequence numbers.
 */
export class BurstStatistics {
  readonly #burst: Stretch = { count: 0, packets: 0, bad: 0 };
  readonly #gap: Stretch = { count: 0, packets: 0, bad: 0 };
  /** Packets of the gap under way, without the run and what follows it. */
  #gapPackets = 0;
  /** From a bad packet to the newest bad one, with fewer than Gmin good ones in a row. */
  readonly #run = { packets: 0, bad: 0 };
  #goodSinceBad = 0;
  #lossRuns = 0;

  /** A packet was played. */
  handlePlayed(): void {
    this.#goodSinceBad += 1;
  }

  /** `count` packets in a row were not played: lost, late or discarded. */
  handleMissing(count: number = 1): void {
    for (let index = 0; index < count; index += 1) this.#handleBad();
  }

  /** The figures so far, for packets of `packetMs`. */
  metrics(packetMs: number): BurstMetrics {
    const isInBurst = this.#run.bad > 1;
    const burst = { ...this.#burst };
    const gap = { ...this.#gap };
    let tail = this.#goodSinceBad;
    if (isInBurst) add(burst, this.#run.packets, this.#run.bad);
    else {
      tail += this.#run.packets;
      gap.bad += this.#run.bad;
    }
    if (isInBurst && this.#gapPackets > 0) add(gap, this.#gapPackets, 0);
    else tail += this.#gapPackets;
    if (tail > 0) add(gap, tail, 0);
    return {
      burstDensity: ratio(burst.bad, burst.packets),
      gapDensity: ratio(gap.bad, gap.packets),
      burstDurationMs: ratio(burst.packets, burst.count) * packetMs,
      gapDurationMs: ratio(gap.packets, gap.count) * packetMs,
      bursts: burst.count,
      lossRuns: this.#lossRuns,
    };
  }

  #handleBad(): void {
    const isFirst = this.#run.bad === 0;
    if (isFirst || this.#goodSinceBad > 0) this.#lossRuns += 1;
    if (isFirst || this.#goodSinceBad >= BURST_GMIN) {
      this.#closeRun();
      this.#gapPackets += this.#goodSinceBad;
      this.#run.packets = 1;
      this.#run.bad = 1;
    } else {
      this.#run.packets += this.#goodSinceBad + 1;
      this.#run.bad += 1;
    }
    this.#goodSinceBad = 0;
  }

  #closeRun(): void {
    if (this.#run.bad > 1) {
      if (this.#gapPackets > 0) add(this.#gap, this.#gapPackets, 0);
      add(this.#burst, this.#run.packets, this.#run.bad);
      this.#gapPackets = 0;
    } else {
      // A single loss belongs to the gap.
      this.#gapPackets += this.#run.packets;
      this.#gap.bad += this.#run.bad;
    }
  }
}

function add(stretch: Stretch, packets: number, bad: number): void {
  stretch.count += 1;
  stretch.packets += packets;
  stretch.bad += bad;
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
