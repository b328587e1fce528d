import { elapsedMs, type Instant } from "../../environment/index.ts";
import { middleBits, shortNtpSpan } from "./ntp.ts";
import type { NtpTimestamp } from "./rtcp-packet.ts";

/** A time mark of a peer, and how long it has been here. */
export interface HeldMark {
  /** The middle 32 bits of its NTP time. */
  readonly mark: number;
  /** In units of 1/65536 s. */
  readonly heldFor: number;
}

/** A call has one peer, whose SSRC may change; more SSRCs than these are noise. */
const SOURCES_MAX = 8;

/** Remembers the last time mark (SR or reference time) of each source, to be sent back to it. */
export class PeerMarks {
  readonly #marks = new Map<number, { readonly mark: number; readonly arrivedAt: Instant }>();

  note(ssrc: number, ntp: NtpTimestamp, now: Instant): void {
    // Deleting first keeps the map in the order of arrival: the first key is the oldest.
    this.#marks.delete(ssrc);
    this.#marks.set(ssrc, { mark: middleBits(ntp), arrivedAt: now });
    const [oldest] = this.#marks.keys();
    if (this.#marks.size > SOURCES_MAX && oldest !== undefined) this.#marks.delete(oldest);
  }

  /** The last mark of this source; zeros where none came, as LSR and DLSR want it. */
  held(ssrc: number, now: Instant): HeldMark {
    const entry = this.#marks.get(ssrc);
    if (entry === undefined) return { mark: 0, heldFor: 0 };
    return { mark: entry.mark, heldFor: shortNtpSpan(elapsedMs(entry.arrivedAt, now)) };
  }

  /** Removes and returns all marks with their sources. */
  takeAll(now: Instant): (HeldMark & { readonly ssrc: number })[] {
    const all = [...this.#marks.keys()].map((ssrc) => ({ ssrc, ...this.held(ssrc, now) }));
    this.#marks.clear();
    return all;
  }
}
