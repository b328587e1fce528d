import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { FileStore } from "../environment/index.ts";
import { loadVoices, spokenForm } from "./voices.ts";

const FIXTURES = fileURLToPath(new URL("../../fixtures/voices", import.meta.url));

function refuse(): Promise<never> {
  return Promise.reject(new Error("not in this test"));
}

/** The real files, with some replaced (`null`: taken away). */
function store(changes: Readonly<Record<string, string | null>> = {}): FileStore {
  const readText = (path: string): Promise<string> => {
    return Promise.resolve(changes[path.slice(FIXTURES.length + 1)] ?? readFileSync(path, "utf8"));
  };
  return {
    readText,
    read: (path) => Promise.resolve(new Uint8Array(readFileSync(path))),
    exists: (path) => {
      return Promise.resolve(changes[path.slice(FIXTURES.length + 1)] !== null && existsSync(path));
    },
    list: (path) => Promise.resolve(readdirSync(path).toSorted()),
    write: refuse,
    append: refuse,
  };
}

describe("loadVoices", () => {
  it("reads both voices", async () => {
    const voices = await loadVoices(store(), FIXTURES);

    expect(voices.all("bot").map(({ sampleRateHz }) => sampleRateHz)).toEqual(
      Array.from({ length: 9 }, () => 24_000),
    );
    expect(voices.all("caller")).toHaveLength(8);
  });

  it("has speech where the catalogue says", async () => {
    const voices = await loadVoices(store(), FIXTURES);

    for (const { samples, sampleRateHz, onsetMs, offsetMs } of [
      ...voices.all("bot"),
      ...voices.all("caller"),
    ]) {
      const durationMs = (samples.length * 1000) / sampleRateHz;
      expect(onsetMs).toBeGreaterThan(0);
      expect(onsetMs).toBeLessThanOrEqual(50);
      expect(durationMs - offsetMs).toBeGreaterThanOrEqual(0);
      expect(durationMs - offsetMs).toBeLessThanOrEqual(50);
      expect(samples.some((sample) => Math.abs(sample) >= 32_767)).toBe(false);
    }
  });

  it("finds by id and by text, whatever the case and the punctuation", async () => {
    const voices = await loadVoices(store(), FIXTURES);

    expect(voices.find("caller", "mm-hmm")).toBe(voices.find("caller", "Mm-hmm."));
    expect(voices.find("bot", "interrupted").text).toBe("Of course. What would you like to know?");
    expect(voices.find("bot", "of course what would you like to know").id).toBe("interrupted");
  });

  it("says what there is where something is not", async () => {
    const voices = await loadVoices(store(), FIXTURES);

    expect(() => voices.find("caller", "Sing a song.")).toThrow(
      expect.objectContaining({
        code: "ERR_FIXTURE_MISSING",
        message: expect.stringContaining("what-time-is-breakfast, tell-me-about-the-hotel"),
      }),
    );
  });

  it("says which file is missing, and what lies beside it", async () => {
    await expect(loadVoices(store({ "bot/long.wav": null }), FIXTURES)).rejects.toMatchObject({
      code: "ERR_FIXTURE_MISSING",
      message: expect.stringMatching(/bot\/long\.wav does not exist.*greeting\.wav/u),
    });
  });

  it.each([
    ["not JSON", "{", "is not JSON"],
    ["no list", "{}", "is not a list"],
    ["an incomplete entry", '[{"id":"x","file":"x.wav"}]', 'no string "text" in its entry 1'],
    ["an entry of null", "[null]", "in its entry 1"],
  ])("refuses a catalogue that is %s", async (_what, json, message) => {
    const load = loadVoices(store({ "caller/voices.json": json }), FIXTURES);

    await expect(load).rejects.toMatchObject({
      code: "ERR_FIXTURE_MALFORMED",
      message: expect.stringContaining(message),
    });
  });

  it("refuses a file of another rate than its catalogue's", async () => {
    const catalogue = readFileSync(`${FIXTURES}/caller/voices.json`, "utf8");
    const changed = catalogue.replace("16000", "8000");

    await expect(loadVoices(store({ "caller/voices.json": changed }), FIXTURES)).rejects.toThrow(
      "has 16000 Hz",
    );
  });
});

describe("spokenForm", () => {
  it("keeps what can be heard", () => {
    expect(spokenForm(" Mm-hmm! ")).toBe("mm-hmm");
    expect(spokenForm("Grüß Gott, 42?")).toBe("grüß-gott-42");
  });
});
