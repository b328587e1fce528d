import { elapsedMs, type Instant } from "../../environment/index.ts";

/** What we have sent since the beginning, for sender reports (RFC 3550 §6.4.1). */
export interface SentSource {
  readonly packets: number;
  /** Octets of payload. */
  readonly octets: number;
  /** The RTP timestamp that a sample taken at `now` would get. */
  rtpTimestampAt(now: Instant): number;
}

/** Counts the RTP packets that we send; one addition per packet, nothing is allocated. */
export class SentStream implements SentSource {
  clockRateHz: number;
  #packets = 0;
  #octets = 0;
  #rtpTimestamp = 0;
  #sentAt: Instant | undefined;

  constructor(clockRateHz: number) {
    this.clockRateHz = clockRateHz;
  }

  get packets(): number {
    return this.#packets;
  }

  get octets(): number {
    return this.#octets;
  }

  handleSent(rtpTimestamp: number, payloadBytes: number, now: Instant): void {
    this.#packets += 1;
    this.#octets += payloadBytes;
    this.#rtpTimestamp = rtpTimestamp;
    this.#sentAt = now;
  }

  rtpTimestampAt(now: Instant): number {
    if (this.#sentAt === undefined) return 0;
    const ticks = (elapsedMs(this.#sentAt, now) * this.clockRateHz) / 1000;
    return (this.#rtpTimestamp + Math.round(ticks)) >>> 0;
  }
}
