import { describe, expect, it } from "vitest";
import { type Instant, instant, seededRandom } from "../../../src/environment/index.ts";
import {
  decodeRtcp,
  encodeRtcp,
  type RtcpEvent,
  type RtcpPacket,
  RtcpSession,
} from "../../../src/rtp/index.ts";
import { OUR_SSRC, PEER_SSRC, RTCP_CORPUS } from "./support/corpus.ts";
import { FUZZ_TIMEOUT_MS, FUZZ_TITLE, fuzz, mustHold } from "./support/fuzz.ts";

/** After these, another session begins. */
const INPUTS_PER_SESSION = 500;

/** A session that hears only what the fuzz run makes, five datagrams a second. */
class SessionUnderFire {
  readonly #session: RtcpSession;
  readonly #seen = { sent: 0, received: 0, malformed: 0, collisions: 0 };

  constructor(seed: number) {
    this.#session = new RtcpSession({
      ssrc: OUR_SSRC,
      cname: "ours",
      random: seededRandom(seed),
      clockRateHz: 8000,
      xr: true,
    });
    this.#session.start(instant(0));
  }

  get reports(): number {
    return this.#seen.sent;
  }

  handle(input: Uint8Array, now: Instant): void {
    this.#seen.received += 1;
    for (const event of this.#session.handlePacket(input, now)) this.#check(event);
    this.#pass(now);
    const { nextTimeout, counts } = this.#session;
    mustHold(nextTimeout !== undefined && nextTimeout > now, "the next report is to come");
    mustHold((nextTimeout ?? 0) - now < 10_000, "nobody can delay it");
    for (const name of ["sent", "received", "malformed", "collisions"] as const) {
      mustHold(counts[name] === this.#seen[name], `all ${name} are counted`);
    }
  }

  #check(event: RtcpEvent): void {
    if (event.kind === "malformed") this.#seen.malformed += 1;
    if (event.kind === "ssrcCollision") this.#seen.collisions += 1;
    if (event.kind !== "report") return;
    mustHold(event.fractionLost >= 0 && event.fractionLost < 1, "it is a share");
    mustHold(event.rttMs === undefined || event.rttMs >= 0, "time goes forward");
  }

  /** A packet goes, a packet came, and a report may be due. */
  #pass(now: Instant): void {
    const packets = this.#seen.received;
    const reception = {
      ssrc: PEER_SSRC,
      extendedHighestSequenceNumber: packets,
      expected: packets,
      received: packets,
      interarrivalJitterMs: 1,
    };
    this.#session.handleSent(packets * 160, 160, now);
    this.#session.handleTimeout(now, { wallClockMs: 1.7e12 + now, reception });
    if (this.#session.takeOutput() !== undefined) this.#seen.sent += 1;
  }
}

describe(`RTCP, fuzzed ${FUZZ_TITLE}`, () => {
  it(
    "is decoded to packets of which only the last may be malformed, and that can be encoded",
    () => {
      const output = new Uint8Array(20_000);
      const seen = new Set<string>();
      fuzz({
        name: "decodeRtcp",
        corpus: RTCP_CORPUS,
        handle: (input) => {
          const decoded = decodeRtcp(input);
          if (!Array.isArray(decoded)) {
            return mustHold(decoded.reason !== "", "it says why");
          }
          for (const packet of decoded) seen.add(packet.kind);
          const good = decoded.filter(
            (packet): packet is RtcpPacket => packet.kind !== "malformed",
          );
          mustHold(good.length > 0, "something is good, or it is malformed as a whole");
          mustHold(decoded.length - good.length <= 1, "one packet is malformed at most");
          mustHold(
            decoded.length === good.length || decoded.at(-1)?.kind === "malformed",
            "the malformed packet is the last one",
          );
          const again = decodeRtcp(output.slice(0, encodeRtcp(good, output)));
          mustHold(Array.isArray(again) && again.length === good.length, "it is read again");
        },
      });

      expect(seen.size).toBe(8);
    },
    FUZZ_TIMEOUT_MS,
  );

  it(
    "leaves a session in balance, and its reports on time",
    () => {
      let session = new SessionUnderFire(0);
      fuzz({
        name: "RtcpSession",
        corpus: RTCP_CORPUS,
        handle: (input, random, index) => {
          const step = index % INPUTS_PER_SESSION;
          if (step === 0) session = new SessionUnderFire(index);
          session.handle(input, instant(step * 200 + random() * 200));
        },
      });

      expect(session.reports).toBeGreaterThan(0);
    },
    FUZZ_TIMEOUT_MS,
  );
});
