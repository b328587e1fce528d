import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openHarness } from "../../../src/index.ts";
import { createEnvironment } from "../../../src/platform/index.ts";
import { because, missingReason } from "../support/tools.ts";

const SCRIPT = `
name: Says what nobody recorded
greeting: The weather is fine today.
turns:
  - hears: Please hang up.
    says: goodbye
otherwise: Pardon?
`;

const reason = missingReason(["espeak-ng"]);

describe.skipIf(reason !== undefined)(`espeak-ng${because(reason)}`, () => {
  it("says what the script's recordings lack", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sidetone-espeak-"));
    const scriptPath = join(folder, "weather.yaml");
    await writeFile(scriptPath, SCRIPT);
    const harness = await openHarness({ reportFolder: folder });
    try {
      const ai = await harness.startEmbeddedAi({ scriptPath, speech: "espeak-ng:en-gb" });
      const heard = await greeting(ai.url, ai.apiKey);

      expect(heard.words).toBe("The weather is fine today.");
      // Half a second to five: speech at a pace that people speak at, 24 kHz.
      expect(heard.bytes).toBeGreaterThan(24_000);
      expect(heard.bytes).toBeLessThan(240_000);
      await expect(
        harness.startEmbeddedAi({ scriptPath, speech: "espeak-ng:zzz" }),
      ).rejects.toMatchObject({ code: "ERR_SPEECH_FAILED" });
    } finally {
      await harness.close();
      await rm(folder, { recursive: true });
    }
  });
});

/** What a client gets that asks for a response before anybody has spoken. */
function greeting(url: string, apiKey: string): Promise<{ words: string; bytes: number }> {
  const { network } = createEnvironment({ seed: "espeak" });
  const socket = network.connectMessages(url, { headers: { authorization: `Bearer ${apiKey}` } });
  let [words, bytes] = ["", 0];
  return new Promise((resolve, reject) => {
    socket.onOpen = () => socket.send('{"type":"response.create"}');
    socket.onError = reject;
    socket.onMessage = (text) => {
      const event = JSON.parse(text) as { readonly type: string; readonly delta?: string };
      if (event.type === "response.output_audio_transcript.delta") words += event.delta ?? "";
      if (event.type === "response.output_audio.delta") {
        bytes += Buffer.from(event.delta ?? "", "base64").length;
      }
      if (event.type !== "response.done") return;
      socket.close();
      resolve({ words, bytes });
    };
  });
}
