import { describe, expect, it } from "vitest";
import { measureCall } from "../../../src/measure/index.ts";
import { renderPage } from "../../../src/report/index.ts";
import { HOSTILE_TEXT, sampleRun } from "./sample-run.ts";

const { run, records } = sampleRun();
const page = renderPage(run, records);
/** The page without its own style and script, and without embedded recordings. */
const body = page
  .replace(/<style>[\s\S]*?<\/style>/u, "")
  .replaceAll(/<script>[\s\S]*?<\/script>/gu, "")
  .replaceAll(/data:audio\/wav;base64,[A-Za-z0-9+/=]+/gu, "data:audio/wav");

describe("renderPage", () => {
  it("is one page that loads nothing", () => {
    const addresses = [...body.matchAll(/(?:src|href)="([^"]*)"/gu)].map(([, address]) => address);

    expect(addresses.length).toBeGreaterThan(10);
    for (const address of addresses) expect(address).toMatch(/^(?:data:|#|calls\/)/u);
    expect(page).not.toMatch(/@import|url\(|https?:\/\/|\bfetch\(|XMLHttpRequest|importScripts/u);
  });

  it("escapes whatever comes from a run, in text, attributes and data", () => {
    expect(page).not.toContain(HOSTILE_TEXT);
    expect(page).not.toContain("<img");
    expect(page).not.toContain('alert("1")');
    expect(page).toContain("&lt;/script&gt;&lt;script&gt;alert(&quot;1&quot;)");
    expect(page.match(/<script/gu)).toHaveLength(2);
    expect(page.match(/<\/script>/gu)).toHaveLength(2);
  });

  it("embeds data that parses, a chart per call", () => {
    const json = /<script type="application\/json" id="sidetone-data">([^<]*)<\/script>/u.exec(
      page,
    );
    const data = JSON.parse(json?.[1] ?? "") as { charts: Record<string, unknown>[] };

    expect(data.charts).toHaveLength(3);
    expect(data.charts[1]).toMatchObject({ binMs: 5 });
    expect(data.charts[1]?.["brackets"]).toHaveLength(3);
  });

  it("has a script that is well-formed", () => {
    const script = /<script>([\s\S]*?)<\/script>/u.exec(page)?.[1] ?? "";

    // oxlint-disable-next-line no-new-func, no-implied-eval, typescript/no-implied-eval -- Parsed, never run.
    expect(() => new Function(script)).not.toThrow();
  });

  it("shows no secret, even where the recorder left one in", () => {
    expect(page).not.toContain("topsecret");
    expect(page).toContain("Proxy-Authorization: (redacted)");
  });

  it("strips terminal colours from messages", () => {
    expect(page).not.toContain("\u001b");
  });

  it("shows the verdicts, and opens what did not pass", () => {
    const details = [
      ...body.matchAll(/<details class="scenario"( open)?>\s*<summary><span class="badge (\w+)"/gu),
    ];

    expect(details.map(([, open, verdict]) => [verdict, open !== undefined])).toEqual([
      ["pass", false],
      ["fail", true],
      ["inconclusive", true],
    ]);
  });

  it("says of packets how they add up, and of each key in which way it crossed", () => {
    expect(body).toContain("received = played + late + discarded + duplicate + other");
    expect(body).toMatch(/<td>telephone event<\/td>/u);
    expect(body).toContain('href="calls/001-question/call.pcap"');
    expect(body).not.toContain("call-decrypted.pcap");
  });

  it("shows how late either side heard the other, as a table and as a plot", () => {
    expect(body).toContain("Mouth to ear, by correlation of both recordings");
    expect(body).toMatch(/<td>bot → caller<\/td><td>70\.0 ± 0\.1 ms<\/td>/u);
    expect(body).toMatch(/<td>caller → bot<\/td><td>30\.0 ± 0\.1 ms<\/td>/u);
    expect(body).toMatch(/<svg class="delays"[^>]* aria-label="Delay over the call/u);
    expect(body).not.toContain("<h4>Echo</h4>");
  });

  it("shows whose voice came back", () => {
    const echo = {
      party: "caller",
      delayMs: 183.4,
      uncertaintyMs: 0.2,
      lossDb: 31.2,
      windows: 7,
      windowsWithSound: 9,
    } as const;
    const [call] = run.calls;
    if (call === undefined) throw new Error("the sample run has calls");
    const echoing = { ...call, metrics: { ...call.metrics, delays: [], echoes: [echo] } };
    const shown = renderPage({ ...run, calls: [echoing] }, records);
    expect(shown).toContain(
      "<td>the caller&#39;s</td><td>183.4 ± 0.2 ms</td><td>31.2 dB</td><td>7 of 9 s</td>",
    );
    expect(shown).not.toContain('<svg class="delays"');
  });

  it("links to the decrypted capture of an encrypted call", () => {
    const encrypted = records.map((record) => ({
      ...record,
      facts: record.facts.map((fact) =>
        fact.kind === "mediaStarted" ? { ...fact, srtpSuite: "AEAD_AES_128_GCM" } : fact,
      ),
    }));
    const calls = encrypted.map((record) => ({
      id: record.description.id,
      description: record.description,
      metrics: measureCall(record),
    }));
    const shown = renderPage({ ...run, calls }, encrypted);
    expect(shown).toContain('href="calls/001-question/call-decrypted.pcap"');
    expect(shown).toContain("<dd>AEAD_AES_128_GCM</dd>");
  });

  it("warns where the instrument was not healthy", () => {
    expect(body.match(/The instrument was not healthy/gu)).toHaveLength(1);
    expect(body).toContain("departure jitter p99 14 ms (limit 5 ms)");
  });

  it("embeds recordings up to the limit and links to the rest", () => {
    const wavBytes = 44 + 9000 * 8 * 2 * 2;
    const limited = renderPage(run, records, { embedAudioBytesMax: wavBytes + 1000 });

    expect(page.match(/src="data:audio\/wav;base64,/gu)).toHaveLength(3);
    expect(limited.match(/src="data:audio\/wav;base64,/gu)).toHaveLength(1);
    expect(limited).toContain('src="calls/002-interrupted/audio.wav"');
  });

  it("still shows the figures of a call whose recording is not at hand", () => {
    const without = renderPage(run, []);

    expect(without).toContain("Call 002-interrupted");
    expect(without).not.toContain("<canvas");
  });

  it("is the same page for the same run", () => {
    expect(renderPage(run, records)).toBe(page);
  });

  it("names every control and keeps every id once", () => {
    const ids = [...body.matchAll(/ id="([^"]*)"/gu)].map(([, id]) => id);

    expect(new Set(ids).size).toBe(ids.length);
    for (const [tag] of body.matchAll(/<(?:canvas|audio|svg)[^>]*>/gu)) {
      expect(tag).toContain("aria-label=");
    }
  });
});
