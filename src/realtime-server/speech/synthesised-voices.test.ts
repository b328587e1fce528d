import { describe, expect, it } from "vitest";
import { type Voice, VoiceLibrary } from "../../audio/index.ts";
import { parseScript } from "../script/parse-script.ts";
import { withSynthesisedSpeech } from "./synthesised-voices.ts";

const RECORDED: Voice = {
  id: "hello",
  text: "Hello!",
  samples: new Int16Array(8000),
  sampleRateHz: 8000,
  onsetMs: 0,
  offsetMs: 1000,
};
const LIBRARY = new VoiceLibrary(
  new Map([
    ["bot", [RECORDED]],
    ["caller", [RECORDED]],
  ]),
);
const SCRIPT = parseScript(
  `
name: Small
greeting: Hello!
turns:
  - hears: hello
    says: The time is ten.
    tool: { name: send_dtmf }
    then: [{ says: It was sent. }]
cues: { silence: { says: Are you there? } }
otherwise: Pardon?
interrupted: The time is ten.
`,
  "small.yaml",
);

/** A second of silence, and half a second of a tone in it. */
function beep(): Int16Array {
  return Int16Array.from({ length: 16_000 }, (_, at) => {
    return at >= 4000 && at < 12_000 ? 8000 * Math.sin(at / 5) : 0;
  });
}

describe("withSynthesisedSpeech", () => {
  it("says what is not recorded, each text once, and nothing that is", async () => {
    const asked: string[] = [];
    const voices = await withSynthesisedSpeech(LIBRARY, SCRIPT, {
      synthesise: (text) => {
        asked.push(text);
        return { samples: beep(), sampleRateHz: 16_000 };
      },
    });

    expect(asked.toSorted()).toEqual([
      "Are you there?",
      "It was sent.",
      "Pardon?",
      "The time is ten.",
    ]);
    expect(voices.find("bot", "Hello!")).toBe(RECORDED);
    expect(voices.all("caller")).toEqual([RECORDED]);
  });

  it("knows where speech begins and ends in it", async () => {
    const voices = await withSynthesisedSpeech(LIBRARY, SCRIPT, {
      synthesise: () => Promise.resolve({ samples: beep(), sampleRateHz: 16_000 }),
    });

    const { onsetMs, offsetMs, text } = voices.find("bot", "pardon");
    expect(text).toBe("Pardon?");
    expect(onsetMs).toBeGreaterThanOrEqual(180);
    expect(onsetMs).toBeLessThanOrEqual(250);
    expect(offsetMs).toBeGreaterThanOrEqual(750);
    expect(offsetMs).toBeLessThanOrEqual(820);
  });

  it.each([
    ["nothing", undefined],
    ["no samples", { samples: new Int16Array(0), sampleRateHz: 8000 }],
    ["samples of another kind", { samples: new Float32Array(10), sampleRateHz: 8000 }],
    ["an impossible rate", { samples: beep(), sampleRateHz: 1 }],
  ])("refuses a synthesiser that gives %s", async (_what, speech) => {
    const synthesiser = { synthesise: () => speech as never };

    await expect(withSynthesisedSpeech(LIBRARY, SCRIPT, synthesiser)).rejects.toMatchObject({
      code: "ERR_MODULE_FAILED",
    });
  });
});
