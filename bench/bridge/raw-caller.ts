/**
 * A caller made of nothing but sockets: what is measured must not be the measuring end's own media
 * stack. SIP by UDP as far as one call needs it, PCMU in packets of 20 ms.
 */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

const FRAME_MS = 20;
const FRAME_BYTES = 160;
const RTP_HEADER_BYTES = 12;
/** PCMU: zero, and the loudest sample. */
const SILENCE = 0xff;
const LOUD = 0x80;
const LOUD_BYTES_MIN = 8;

const now = (): number => performance.now();

/** A packet that can be told from the others. */
export interface Mark {
  readonly sentAt: number;
  /** By how much it left later than it should: this process had no turn. */
  readonly lateMs: number;
}

export class RawCaller {
  /** Called for each packet of the bot's, with when it came and whether there is speech in it. */
  onPacket: ((at: number, isLoud: boolean) => void) | undefined;
  readonly #sip: Socket;
  readonly #rtp: Socket;
  readonly #target: { readonly host: string; readonly port: number; readonly uri: string };
  readonly #callId = `${Math.random().toString(36).slice(2)}@bench`;
  readonly #packet = Buffer.alloc(RTP_HEADER_BYTES + FRAME_BYTES);
  #toTag = "";
  #contact = "";
  #mediaPort = 0;
  #sequence = 0;
  #marked: ((mark: Mark) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #nextAt = 0;

  private constructor(uri: string, sip: Socket, rtp: Socket) {
    const [, host = "", port = "5060"] = /@([\d.]+):(\d+)/u.exec(uri) ?? [];
    this.#target = { host, port: Number(port), uri };
    this.#sip = sip;
    this.#rtp = rtp;
    this.#packet[0] = 0x80;
  }

  /** Calls, and begins to send silence once the call is answered. */
  static async dial(uri: string): Promise<RawCaller> {
    const sip = createSocket("udp4").bind(0, "127.0.0.1");
    const rtp = createSocket("udp4").bind(0, "127.0.0.1");
    await Promise.all([once(sip, "listening"), once(rtp, "listening")]);
    const caller = new RawCaller(uri, sip, rtp);
    await caller.#invite();
    caller.#listen();
    caller.#nextAt = now();
    caller.#tick();
    return caller;
  }

  /** Has the next packet hold a loud tone; resolves when that left. */
  mark(): Promise<Mark> {
    return new Promise((resolve) => {
      this.#marked = resolve;
    });
  }

  async hangUp(): Promise<void> {
    clearTimeout(this.#timer);
    this.#send("BYE", 2, "");
    await this.#answer("2 BYE");
    this.#sip.close();
    this.#rtp.close();
  }

  async #invite(): Promise<void> {
    const { port } = this.#rtp.address();
    const sdp =
      `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n` +
      `m=audio ${port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\n`;
    this.#send("INVITE", 1, sdp);
    const answer = await this.#answer("1 INVITE");
    this.#toTag = /^To:.*?(;tag=\S+)/imu.exec(answer)?.[1] ?? "";
    this.#contact = /^Contact:[^<\r\n]*<([^>]+)>/imu.exec(answer)?.[1] ?? this.#target.uri;
    this.#mediaPort = Number(/^m=audio (\d+)/mu.exec(answer)?.[1] ?? 0);
    this.#send("ACK", 1, "");
  }

  #send(method: string, cseq: number, body: string): void {
    const { port } = this.#sip.address();
    const uri = method === "INVITE" ? this.#target.uri : this.#contact;
    const text = [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bK${Math.random().toString(36).slice(2)}`,
      "Max-Forwards: 70",
      `From: <sip:bench@127.0.0.1:${port}>;tag=bench`,
      `To: <${this.#target.uri}>${this.#toTag}`,
      `Call-ID: ${this.#callId}`,
      `CSeq: ${cseq} ${method}`,
      `Contact: <sip:bench@127.0.0.1:${port}>`,
      ...(body === "" ? [] : ["Content-Type: application/sdp"]),
      `Content-Length: ${Buffer.byteLength(body)}`,
      "",
      body,
    ].join("\r\n");
    this.#sip.send(text, this.#target.port, this.#target.host);
  }

  /** The final response to a request of ours; throws where it is no 200. */
  #answer(cseq: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to ${cseq}`)), 15_000);
      const listener = (data: Buffer): void => {
        const text = data.toString();
        const status = Number(/^SIP\/2\.0 (\d{3})/u.exec(text)?.[1] ?? 0);
        if (status < 200 || !text.includes(cseq)) return;
        clearTimeout(timer);
        this.#sip.off("message", listener);
        if (status === 200) resolve(text);
        else reject(new Error(`${cseq} was answered with ${status}`));
      };
      this.#sip.on("message", listener);
    });
  }

  #listen(): void {
    this.#rtp.on("message", (data) => {
      const at = now();
      let loud = 0;
      for (let index = RTP_HEADER_BYTES; index < data.length; index += 1) {
        if (((data[index] as number) & 0x7f) < 0x40) loud += 1;
      }
      // RTCP comes elsewhere; comfort noise and keys are short.
      if (data.length > FRAME_BYTES) this.onPacket?.(at, loud >= LOUD_BYTES_MIN);
    });
  }

  #tick(): void {
    const marked = this.#marked;
    this.#marked = undefined;
    this.#sequence += 1;
    this.#packet.writeUInt16BE(this.#sequence & 0xffff, 2);
    this.#packet.writeUInt32BE((this.#sequence * FRAME_BYTES) >>> 0, 4);
    this.#packet.fill(SILENCE, RTP_HEADER_BYTES);
    if (marked !== undefined) {
      // A square wave of 1 kHz.
      for (let index = 0; index < FRAME_BYTES; index += 1) {
        this.#packet[RTP_HEADER_BYTES + index] = index % 8 < 4 ? LOUD : LOUD & 0x7f;
      }
    }
    const at = now();
    this.#rtp.send(Buffer.from(this.#packet), this.#mediaPort, this.#target.host);
    marked?.({ sentAt: at, lateMs: at - this.#nextAt });
    this.#nextAt += FRAME_MS;
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, this.#nextAt - now()));
  }
}
