import { describe, it } from "vitest";
import { endsOf, FEATURES, featureRuns, namedEnds, VIRTUAL } from "../feature-runs.ts";

const STEPS = ["--import", `${FEATURES}/recorded-counts.mjs`];
const ran = featureRuns();

describe.concurrent("steps about media", { timeout: 120_000 }, () => {
  it("choose what a call is made of, and say what it was", async ({ expect }) => {
    const { exitCode, output, report } = await ran("media-green.feature", ...STEPS);
    expect(exitCode, output).toBe(0);
    const page = await report.text("index.html");
    expect(page).toContain("AEAD_AES_128_GCM");
    expect(page).toContain('href="calls/001/call-decrypted.pcap"');
    expect((await report.everything()).has("calls/001/call-decrypted.pcap")).toBe(true);
    expect((await report.everything()).has("calls/002/call-decrypted.pcap")).toBe(false);
    expect(page).not.toContain('href="calls/002/call-decrypted.pcap"');
  });

  it("each fail for a call that is not what they ask for", async ({ expect }) => {
    const result = await ran("media-red.feature", ...STEPS, VIRTUAL);
    const { exitCode, output } = result;
    const ends = await endsOf(result);
    expect(ends.length).toBeGreaterThan(12);
    expect(ends, output).toEqual(namedEnds(ends, verdictOf));
    expect(exitCode, output).toBe(1);
    expect(output).toMatch(/ERR_CALL_UNSUPPORTED: .*ERR_SDP_NO_COMMON_CODEC: .*PCMA/u);
    expect(output).toMatch(/ERR_CALL_UNSUPPORTED: .*ERR_SRTP_REQUIRED: /u);
  });

  it("refuse what cannot be asked for", async ({ expect }) => {
    const result = await ran("media-broken.feature", ...STEPS, VIRTUAL);
    const ends = await endsOf(result);
    expect(ends.length).toBeGreaterThan(1);
    expect(ends, result.output).toEqual(namedEnds(ends, "broken"));
    expect(result.exitCode, result.output).toBe(2);
  });
});

function verdictOf(code: string): string {
  return code === "ERR_CALL_UNSUPPORTED" ? "unsupported" : "fail";
}
