import { describe, expect, it } from "vitest";
import { instant } from "../environment/index.ts";
import type { DigitFact } from "../timeline/index.ts";
import type { SpeechSpan } from "./recording.ts";
import { withoutTones } from "./tones.ts";

const AT_CALLER = { speaker: "caller", recordedAt: "caller" } as const;

function span(fromMs: number, toMs: number): SpeechSpan {
  return { startAt: instant(fromMs), endAt: instant(toMs), uncertaintyMs: 0 };
}

function tone(fromMs: number, change: Partial<DigitFact> = {}): DigitFact {
  return {
    kind: "digit",
    party: "caller",
    direction: "sent",
    method: "in-band",
    digit: "1",
    durationMs: 120,
    at: instant(fromMs),
    endedAt: instant(fromMs + 120),
    ...change,
  };
}

describe("withoutTones", () => {
  it("leaves out keys, with the gaps between them, and keeps speech", () => {
    const keys = span(980, 1320);
    const speech = span(2000, 3000);
    const facts = [tone(1000), tone(1220)];
    expect(withoutTones([keys, speech], facts, AT_CALLER)).toEqual([speech]);
  });

  it("keeps speech during which a key was pressed", () => {
    const speech = span(1000, 2000);
    expect(withoutTones([speech], [tone(1400)], AT_CALLER)).toEqual([speech]);
  });

  it("takes no notice of keys that were not tones, or not this speaker's", () => {
    const speech = span(1000, 1120);
    const others = [
      tone(1000, { method: "telephone-event" }),
      tone(1000, { direction: "received" }),
      tone(1000, { party: "bot" }),
    ];
    expect(withoutTones([speech], others, AT_CALLER)).toEqual([speech]);
  });

  it("goes by what was received where the other side spoke", () => {
    const of = { speaker: "bot", recordedAt: "caller" } as const;
    const facts = [tone(1000, { direction: "received" })];
    expect(withoutTones([span(1000, 1120)], facts, of)).toEqual([]);
  });
});
