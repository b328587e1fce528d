import { after, type Instant } from "../environment/index.ts";
import { requireDigits } from "../media/index.ts";
import { parseDtmfInfo, type SipCall, writeDtmfRelay } from "../sip/index.ts";
import type { FactSink } from "../timeline/index.ts";

const DEFAULT_DURATION_MS = 100;
const OK = 200;
const UNSUPPORTED_MEDIA_TYPE = 415;

/** Telephone keys as SIP INFO (application/dtmf-relay), both ways, on the timeline. */
export class InfoDigits {
  readonly #sip: SipCall;
  readonly #record: FactSink;
  readonly #now: () => Instant;

  constructor(sip: SipCall, record: FactSink, now: () => Instant) {
    this.#sip = sip;
    this.#record = record;
    this.#now = now;
    sip.onInfo = (info) => this.#receive(info);
  }

  /**
   * Sends one INFO per key, each after the answer to the one before.
   * @throws UsageError ERR_DIGIT_UNKNOWN; RemoteError ERR_INFO_REJECTED.
   */
  async send(digits: string, options: { readonly durationMs?: number }): Promise<void> {
    requireDigits(digits);
    const durationMs = options.durationMs ?? DEFAULT_DURATION_MS;
    for (const digit of digits) {
      const at = this.#now();
      // oxlint-disable-next-line no-await-in-loop -- keys are pressed one after the other.
      await this.#sip.info("application/dtmf-relay", writeDtmfRelay(digit, durationMs));
      this.#note("sent", { digit, durationMs, at });
    }
  }

  #receive(info: {
    readonly contentType: string;
    readonly body: string;
    readonly at: Instant;
  }): number {
    const found = parseDtmfInfo(info.contentType, info.body);
    if (found === undefined) return info.body.trim() === "" ? OK : UNSUPPORTED_MEDIA_TYPE;
    this.#note("received", { ...found, at: info.at });
    return OK;
  }

  #note(
    direction: "sent" | "received",
    { digit, durationMs, at }: { digit: string; durationMs: number; at: Instant },
  ): void {
    const endedAt = after(at, durationMs);
    this.#record({ kind: "digit", direction, method: "info", at, digit, durationMs, endedAt });
  }
}
