import { describe, expect, it } from "vitest";
import { instant } from "../../../src/environment/index.ts";
import {
  DigitReceiver,
  datagramKind,
  decodeRtp,
  isDigit,
  isRtcp,
  ReceptionStatistics,
} from "../../../src/rtp/index.ts";
import { RTCP_CORPUS, RTP_CORPUS, rtpFlow } from "./support/corpus.ts";
import { FUZZ_TIMEOUT_MS, FUZZ_TITLE, fuzz, mustHold } from "./support/fuzz.ts";

describe(`RTP, fuzzed ${FUZZ_TITLE}`, () => {
  it(
    "is decoded to a view within the datagram, or named malformed",
    () => {
      const seen = new Set<string>();
      fuzz({
        name: "decodeRtp",
        corpus: [...RTP_CORPUS, ...RTCP_CORPUS],
        handle: (input) => {
          const packet = decodeRtp(input);
          seen.add(packet.kind);
          mustHold(isRtcp(input) === (datagramKind(input) === "rtcp"), "both call it RTCP");
          if (packet.kind === "malformed") return mustHold(packet.reason !== "", "it says why");
          const { payload } = packet;
          mustHold(payload.buffer === input.buffer, "the payload is a view");
          mustHold(payload.byteOffset >= input.byteOffset + 12, "it is behind the header");
          mustHold(payload.length <= input.length - 12, "it is within the datagram");
        },
      });

      expect(seen).toEqual(new Set(["rtp", "malformed"]));
    },
    FUZZ_TIMEOUT_MS,
  );

  it(
    "leaves the reception statistics in balance",
    () => {
      let statistics = new ReceptionStatistics({ clockRateHz: 8000 });
      let handled = 0;
      fuzz({
        name: "ReceptionStatistics",
        corpus: rtpFlow,
        validShare: 0.7,
        handle: (input, random, index) => {
          if (index % 500 === 0) {
            statistics = new ReceptionStatistics({ clockRateHz: 8000 });
            handled = 0;
          }
          const packet = decodeRtp(input);
          if (packet.kind === "malformed") return;
          handled += 1;
          statistics.handlePacket(packet, instant(index * 20 + random() * 100));
          const { received, stray, expected, lost, duplicate, ...rest } = statistics.snapshot();
          mustHold(received + stray === handled, "each packet is received or stray");
          mustHold(lost <= expected, "no more is lost than was expected");
          mustHold(lost >= expected - received + duplicate, "what did not come is lost");
          mustHold(Number.isFinite(rest.interarrivalJitterMs), "jitter is a number");
        },
      });

      expect(handled).toBeGreaterThan(0);
    },
    FUZZ_TIMEOUT_MS,
  );
});

describe(`telephone events, fuzzed ${FUZZ_TITLE}`, () => {
  it.each([8000, 16_000, 48_000])(
    "give digits of a sane duration, at %i Hz",
    (clockRateHz) => {
      let receiver = new DigitReceiver({ clockRateHz });
      let digits = 0;
      fuzz({
        name: `DigitReceiver ${clockRateHz}`,
        corpus: rtpFlow,
        validShare: 0.7,
        handle: (input, random, index) => {
          if (index % 500 === 0) receiver = new DigitReceiver({ clockRateHz });
          const packet = decodeRtp(input);
          const now = instant(index * 20 + random() * 15);
          if (packet.kind === "rtp") receiver.handlePacket(packet, now);
          if (receiver.nextTimeout !== undefined && receiver.nextTimeout <= now) {
            receiver.handleTimeout(now);
          }
          for (let digit = receiver.takeDigit(); digit; digit = receiver.takeDigit()) {
            digits += 1;
            mustHold(isDigit(digit.digit), "it is a digit");
            mustHold(digit.durationMs >= 0 && Number.isFinite(digit.durationMs), "it lasts");
            mustHold(digit.endedAt >= digit.startedAt, "it ends after its start");
          }
        },
      });

      expect(digits).toBeGreaterThan(0);
    },
    FUZZ_TIMEOUT_MS,
  );
});
