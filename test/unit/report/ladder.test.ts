import { describe, expect, it } from "vitest";
import { instant } from "../../../src/environment/index.ts";
import { type Ladder, type LadderMessage, ladderOf } from "../../../src/report/ladder/ladder.ts";
import { renderLadderFile } from "../../../src/report/ladder/ladder-file.ts";
import { layOut } from "../../../src/report/ladder/ladder-layout.ts";
import type { Fact, Party } from "../../../src/timeline/index.ts";
import { HOSTILE_TEXT } from "./sample-run.ts";

const CALLER = "192.0.2.1:5060";
const BOT = "192.0.2.2:5060";
const PROXY = "192.0.2.3:5060";

interface Crossing {
  readonly party: Party;
  readonly direction: "sent" | "received";
  readonly ms: number;
  readonly remote?: string;
  readonly local?: string;
  readonly startLine?: string;
  readonly text?: string;
  readonly retransmission?: boolean;
}

function message({ party, direction, ms, ...rest }: Crossing): Fact {
  const { startLine = "INVITE sip:bot@192.0.2.2 SIP/2.0", text = startLine } = rest;
  const [local, remote] = party === "caller" ? [CALLER, BOT] : [BOT, CALLER];
  const status = /^SIP\/2\.0 (\d{3})/u.exec(startLine)?.[1];
  return {
    kind: "sipMessage",
    at: instant(1000 + ms),
    party,
    direction,
    transport: "UDP",
    local: rest.local ?? local,
    remote: rest.remote ?? remote,
    startLine,
    method: "INVITE",
    ...(status === undefined ? {} : { statusCode: Number(status) }),
    cseq: 1,
    ...(rest.retransmission === undefined ? {} : { retransmission: rest.retransmission }),
    text,
  };
}

function ladderFrom(facts: readonly Fact[]): Ladder {
  const ladder = ladderOf(facts.toSorted((a, b) => a.at - b.at));
  expect(ladder).toBeDefined();
  return ladder as Ladder;
}

/** "caller > bot 5..12", "caller > bot 5 lost". */
function rowsOf({ rows, participants }: Ladder): string[] {
  return rows
    .filter((row): row is LadderMessage => row.kind === "message")
    .map(({ from, to, at, arrivedAt, isLost }) => {
      const ends = `${participants[from]?.role} > ${participants[to]?.role}`;
      const end = arrivedAt === undefined ? "" : `..${arrivedAt - 1000}`;
      return `${ends} ${at - 1000}${end}${isLost ? " lost" : ""}`;
    });
}

describe("ladderOf", () => {
  it("joins what one end of ours sent with what the other received", () => {
    const ladder = ladderFrom([
      message({ party: "caller", direction: "sent", ms: 5 }),
      message({ party: "bot", direction: "received", ms: 12 }),
      message({ party: "bot", direction: "sent", ms: 20, startLine: "SIP/2.0 200 OK" }),
      message({ party: "caller", direction: "received", ms: 26, startLine: "SIP/2.0 200 OK" }),
    ]);

    expect(rowsOf(ladder)).toEqual(["caller > bot 5..12", "bot > caller 20..26"]);
    expect(ladder.participants).toEqual([
      { role: "caller", address: CALLER },
      { role: "bot", address: BOT },
    ]);
  });

  it("shows as lost what left one end and never came, and which copy came", () => {
    const ladder = ladderFrom([
      message({ party: "caller", direction: "sent", ms: 0 }),
      message({ party: "caller", direction: "sent", ms: 500, retransmission: true }),
      message({ party: "bot", direction: "received", ms: 503 }),
      message({ party: "bot", direction: "sent", ms: 510, startLine: "SIP/2.0 100 Trying" }),
    ]);

    expect(rowsOf(ladder)).toEqual([
      "caller > bot 0 lost",
      "caller > bot 500..503",
      "bot > caller 510",
    ]);
  });

  it("keeps the copies of a burst in their order", () => {
    const ladder = ladderFrom([
      message({ party: "caller", direction: "sent", ms: 0 }),
      message({ party: "caller", direction: "sent", ms: 1, retransmission: true }),
      message({ party: "bot", direction: "received", ms: 10 }),
      message({ party: "bot", direction: "received", ms: 11 }),
    ]);

    expect(rowsOf(ladder)).toEqual(["caller > bot 0..10", "caller > bot 1..11"]);
  });

  it("calls nothing lost where only one end is ours", () => {
    const ladder = ladderFrom([
      message({ party: "caller", direction: "sent", ms: 0 }),
      message({ party: "caller", direction: "received", ms: 9, startLine: "SIP/2.0 486 Busy" }),
    ]);

    expect(rowsOf(ladder)).toEqual(["caller > peer 0", "peer > caller 9"]);
  });

  it("takes an arrival that was noted before the departure for one", () => {
    const ladder = ladderFrom([
      message({ party: "bot", direction: "received", ms: 4 }),
      message({ party: "caller", direction: "sent", ms: 5 }),
    ]);

    expect(rowsOf(ladder)).toEqual(["caller > bot 4..4"]);
  });

  it("has a lifeline for a proxy between both ends of ours", () => {
    const ladder = ladderFrom([
      message({ party: "caller", direction: "sent", ms: 0, remote: PROXY }),
      message({
        party: "bot",
        direction: "received",
        ms: 8,
        remote: PROXY,
        text: "INVITE changed",
      }),
    ]);

    expect(ladder.participants.map(({ role }) => role)).toEqual(["caller", "peer", "bot"]);
    expect(rowsOf(ladder)).toEqual(["caller > peer 0", "peer > bot 8"]);
  });

  it("knows both ends of a connection by the messages that crossed it", () => {
    const [here, there] = ["192.0.2.1:40001", "192.0.2.1:39999"];
    const ladder = ladderFrom([
      message({ party: "caller", direction: "sent", ms: 0, local: here }),
      message({ party: "bot", direction: "received", ms: 2, remote: there }),
      message({ party: "bot", direction: "sent", ms: 9, remote: there, startLine: "SIP/2.0 603" }),
    ]);

    expect(ladder.participants).toHaveLength(2);
    expect(rowsOf(ladder)).toEqual(["caller > bot 0..2", "bot > caller 9"]);
  });

  it("is none where no SIP message crossed", () => {
    expect(ladderOf([])).toBeUndefined();
  });
});

describe("layOut", () => {
  it("puts what is later lower, at each participant", () => {
    const ladder = ladderFrom([
      message({ party: "caller", direction: "sent", ms: 0 }),
      message({ party: "bot", direction: "sent", ms: 100, startLine: "SIP/2.0 100" }),
      message({ party: "caller", direction: "received", ms: 180, startLine: "SIP/2.0 100" }),
      message({ party: "bot", direction: "received", ms: 200 }),
      message({ party: "caller", direction: "sent", ms: 9000, retransmission: true }),
    ]);
    const { rows, gaps, height } = layOut(ladder);
    const [slow, answer, again] = rows;

    expect(answer?.y).toBeGreaterThan(slow?.y ?? 0);
    expect(slow?.endY).toBeGreaterThan(answer?.endY ?? 0);
    expect(again?.y).toBeGreaterThan(slow?.endY ?? 0);
    expect(gaps.map(({ text }) => text)).toEqual(["8.8 s"]);
    expect(height).toBeGreaterThan(again?.y ?? 0);
  });

  it("shows the beginning and the end of a storm", () => {
    const storm = Array.from({ length: 1000 }, (_, index) =>
      message({ party: "caller", direction: "sent", ms: index, text: `INVITE ${index}` }),
    );
    const { rows, gaps } = layOut(ladderFrom(storm));

    expect(rows).toHaveLength(300);
    expect(gaps).toEqual([{ y: expect.any(Number), text: "700 more, see the timeline" }]);
  });
});

describe("renderLadderFile", () => {
  const facts: Fact[] = [
    message({
      party: "caller",
      direction: "sent",
      ms: 0,
      startLine: `INVITE ${HOSTILE_TEXT} SIP/2.0`,
      text: [
        `INVITE ${HOSTILE_TEXT} SIP/2.0`,
        "From: <sip:a@b>;tag=from-tag",
        'Authorization: Digest response="topsecret"',
        "X-Odd: \u0000\u0007\ud800",
        "",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:topsecretkey",
      ].join("\r\n"),
    }),
    {
      kind: "mediaStarted",
      party: "caller",
      at: instant(1010),
      codec: "PCMU",
      payloadType: 0,
      ptimeMs: 20,
      clockRateHz: 8000,
      sampleRateHz: 8000,
      local: CALLER,
      remote: BOT,
      playoutDelayMs: 60,
      ssrc: 1,
    },
    ...["4", "2"].map(
      (digit, index): Fact => ({
        kind: "digit",
        party: "caller",
        direction: "sent",
        method: "in-band",
        digit,
        durationMs: 100,
        at: instant(1100 + index * 200),
        endedAt: instant(1200 + index * 200),
      }),
    ),
    {
      kind: "callPhase",
      party: "caller",
      phase: "ended",
      reason: "bye",
      endedBy: "remote",
      at: instant(2000),
    },
  ];
  const svg = renderLadderFile(facts) ?? "";

  it("loads nothing, runs nothing, and brings both themes", () => {
    expect(svg).not.toMatch(/<script[\s>]|@import|url\(|<[^>]*(?:href|src)=/u);
    expect(svg.replace('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(/https?:/u);
    expect(svg).toContain("prefers-color-scheme: dark");
  });

  it("holds the texts, without secrets and without what XML forbids", () => {
    expect(svg).toContain("From: &lt;sip:a@b&gt;;tag=from-tag");
    expect(svg).not.toContain("topsecret");
    // oxlint-disable-next-line no-control-regex -- Control characters are the point.
    expect(svg).not.toMatch(/[\u0000-\u0008\ud800]/u);
    expect(svg).not.toContain(HOSTILE_TEXT);
  });

  it("notes media, keys and the end", () => {
    expect(svg).toContain("RTP: PCMU, 20 ms");
    expect(svg).toContain("keys 4 2 sent, tones");
    expect(svg).toContain("ended: bye, by the other side");
    expect(svg.match(/<line class="media"/gu)).toHaveLength(1);
  });
});
