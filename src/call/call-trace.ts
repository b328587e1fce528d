import { elapsedMs, type Instant, type SocketAddress } from "../environment/index.ts";
import type { TappedPacket } from "../media/index.ts";
import type { SipTrace } from "../sip/index.ts";
import { type CapturedDatagram, PcapWriter } from "../timeline/index.ts";
import type { WallClockAnchor } from "./call-artifacts.ts";
import { capturedText, plainCapturedText } from "./capture-text.ts";

/** Packets of one call as they crossed its sockets, and the AI's events. */
export class CallTrace {
  readonly #anchor: WallClockAnchor;
  readonly #pcap = new PcapWriter();
  /** The same with decrypted media, where media may be encrypted. */
  readonly #plainPcap: PcapWriter | undefined;
  #hasEncrypted = false;
  readonly #encoder = new TextEncoder();
  readonly #aiLines: string[] = [];

  /**
   * @param anchor turns instants into the wall-clock times that pcap readers show.
   * @param mayBeEncrypted keeps a decrypted capture beside the other.
   */
  constructor(anchor: WallClockAnchor, mayBeEncrypted: boolean) {
    this.#anchor = anchor;
    this.#plainPcap = mayBeEncrypted ? new PcapWriter() : undefined;
  }

  /**
   * SIP over TCP stands in the capture as segments. What was encrypted (TLS) or framed (WebSocket)
   * stands there as it was inside, one UDP datagram for each message, at its true addresses: on
   * the ports of those, readers would look for TLS and HTTP in a TCP segment.
   */
  addSip(trace: SipTrace): void {
    const { at, direction, text } = trace;
    const local = socketAddressOf(trace.local);
    const remote = socketAddressOf(trace.remote);
    const add = (pcap: PcapWriter, captured: string): void => {
      const data = this.#encoder.encode(captured);
      const message = this.#datagram({ at, direction, local, remote, data });
      if (trace.transport === "TCP") pcap.addSegment(message);
      else pcap.add(message);
    };
    add(this.#pcap, capturedText(text));
    if (this.#plainPcap !== undefined) add(this.#plainPcap, plainCapturedText(text));
  }

  addRtp(packet: TappedPacket): void {
    const datagram = this.#datagram(packet);
    this.#pcap.add(datagram);
    if (packet.plain !== undefined) this.#hasEncrypted = true;
    this.#plainPcap?.add({ ...datagram, payload: packet.plain ?? packet.data });
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

  /** The capture with decrypted media; `undefined` where nothing was encrypted. */
  plainPcapBytes(): Uint8Array | undefined {
    return this.#hasEncrypted ? this.#plainPcap?.bytes() : undefined;
  }

  #datagram({ at, direction, local, remote, data }: TappedPacket): CapturedDatagram {
    return {
      at,
      wallClockMs: this.#anchor.wallClockMs + elapsedMs(this.#anchor.at, at),
      from: direction === "sent" ? local : remote,
      to: direction === "sent" ? remote : local,
      payload: data,
    };
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
