import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { createEnvironment } from "../../../src/platform/index.ts";
import { encodeRtp } from "../../../src/rtp/index.ts";
import { SipEndpoint } from "../../../src/sip/index.ts";

const ADDRESS = "127.0.0.1";
const FRAME_MS = 20;
const FRAME_SAMPLES = 160;
const PACKET_BYTES_MAX = 1500;
const ULAW_SILENCE = 0xff;
const SSRC = 0x51_de_70_0e;

/** A peer that answers every call with whatever the test makes of the offer, and sends raw RTP. */
export class ScriptedPeer {
  readonly #endpoint: SipEndpoint;
  readonly #socket: Socket;
  #callerPort = 0;

  /** @param answer makes the SDP of an answer from an offer and this peer's RTP port. */
  static async start(answer: (offer: string, rtpPort: number) => string): Promise<ScriptedPeer> {
    const endpoint = await SipEndpoint.open({
      ...createEnvironment({ seed: "scripted peer" }),
      local: { address: ADDRESS, port: 0 },
      user: "peer",
      userAgent: "scripted",
    });
    const socket = createSocket("udp4").bind(0, ADDRESS);
    await once(socket, "listening");
    return new ScriptedPeer(endpoint, socket, answer);
  }

  private constructor(
    endpoint: SipEndpoint,
    socket: Socket,
    answer: (offer: string, rtpPort: number) => string,
  ) {
    this.#endpoint = endpoint;
    this.#socket = socket;
    const { port } = socket.address();
    endpoint.onInvite = (invite) =>
      invite.answer({
        createOffer: () => "",
        acceptOffer: (offer) => {
          this.#callerPort = Number(/^m=audio (\d+)/mu.exec(offer)?.[1]);
          return answer(offer, port);
        },
        acceptAnswer: () => undefined,
        withdrawOffer: () => undefined,
      });
  }

  get uri(): string {
    return this.#endpoint.uri;
  }

  /**
   * Sends so many packets of silence (PCMU), one every 20 ms; `wrap` makes the datagrams of each,
   * numbered from 0.
   */
  async sendSilence(
    count: number,
    wrap: (packet: Uint8Array, index: number) => readonly Uint8Array[],
  ): Promise<void> {
    const payload = new Uint8Array(FRAME_SAMPLES).fill(ULAW_SILENCE);
    for (let index = 0; index < count; index += 1) {
      const packet = new Uint8Array(PACKET_BYTES_MAX);
      const bytes = encodeRtp(
        {
          payloadType: 0,
          sequenceNumber: index,
          timestamp: index * FRAME_SAMPLES,
          ssrc: SSRC,
          marker: index === 0,
        },
        payload,
        packet,
      );
      for (const datagram of wrap(packet.subarray(0, bytes), index)) {
        this.#socket.send(datagram, this.#callerPort, ADDRESS);
      }
      // oxlint-disable-next-line no-await-in-loop -- one packet after the other.
      await delay(FRAME_MS);
    }
  }

  async close(): Promise<void> {
    this.#socket.close();
    await this.#endpoint.close();
  }
}
