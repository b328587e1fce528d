import { elapsedMs, type Instant, type SocketAddress } from "../environment/index.ts";
import type { SipTrace } from "../sip/index.ts";
import { PcapWriter } from "../timeline/index.ts";
import type { WallClockAnchor } from "./call-artifacts.ts";

/** Packets of one call as they crossed its sockets, and the AI's events. */
export class CallTrace {
  readonly #anchor: WallClockAnchor;
  readonly #pcap = new PcapWriter();
  readonly #encoder = new TextEncoder();
  readonly #aiLines: string[] = [];

  /** @param anchor turns instants into the wall-clock times that pcap readers show. */
  constructor(anchor: WallClockAnchor) {
    this.#anchor = anchor;
  }

  addSip(trace: SipTrace): void {
    const local = socketAddressOf(trace.local);
    const remote = socketAddressOf(trace.remote);
    this.#add(trace.at, trace.direction, local, remote, this.#encoder.encode(trace.text));
  }

  addRtp(packet: {
    readonly at: Instant;
    readonly direction: "sent" | "received";
    readonly local: SocketAddress;
    readonly remote: SocketAddress;
    readonly data: Uint8Array;
  }): void {
    this.#add(packet.at, packet.direction, packet.local, packet.remote, packet.data);
  }

  addAiEvent(json: string, direction: "sent" | "received", at: Instant): void {
    this.#aiLines.push(`{"at":${at.toFixed(3)},"direction":"${direction}","event":${json}}\n`);
  }

  get aiEvents(): string | undefined {
    return this.#aiLines.length === 0 ? undefined : this.#aiLines.join("");
  }

  pcapBytes(): Uint8Array {
    return this.#pcap.bytes();
  }

  // oxlint-disable-next-line max-params -- one row of a capture; an object per packet costs more.
  #add(
    at: Instant,
    direction: "sent" | "received",
    local: SocketAddress,
    remote: SocketAddress,
    payload: Uint8Array,
  ): void {
    this.#pcap.add({
      at,
      wallClockMs: this.#anchor.wallClockMs + elapsedMs(this.#anchor.at, at),
      from: direction === "sent" ? local : remote,
      to: direction === "sent" ? remote : local,
      payload,
    });
  }
}

/** "127.0.0.1:5060" or "[::1]:5060". */
function socketAddressOf(text: string): SocketAddress {
  const colon = text.lastIndexOf(":");
  return {
    address: text.slice(0, colon).replace(/^\[|\]$/gu, ""),
    port: Number(text.slice(colon + 1)),
  };
}
