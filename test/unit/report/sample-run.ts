import { type CallRecord, measureCall } from "../../../src/measure/index.ts";
import type { RunSummary, ScenarioSummary } from "../../../src/report/index.ts";
import type { Fact, Party } from "../../../src/timeline/index.ts";
import { by, type CallPlan, syntheticCall } from "./synthetic-call.ts";
import { UNEVENTFUL_MEDIA } from "./uneventful-media.ts";

/** A text that would break a page that does not escape. */
export const HOSTILE_TEXT = `</script><script>alert("1")</script><img src=x onerror='alert(2)'>&`;

/** A run of three calls with everything in it that a report can show. */
export function sampleRun(): { readonly run: RunSummary; readonly records: CallRecord[] } {
  const records = [questionCall(), interruptedCall(), hangUpCall()];
  const calls = records.map((record) => ({
    id: record.description.id,
    description: record.description,
    metrics: measureCall(record),
  }));
  const run: RunSummary = {
    runId: "2026-11-22T15-00-00Z",
    startedAt: "2026-11-22T15:00:00.000Z",
    durationMs: 31_400,
    seed: "20261122",
    versions: { sidetone: "0.1.0", node: "v20.20.2" },
    environment: { host: "linux x64, 2 cores", ai: "embedded realtime server" },
    scenarios: [
      scenario("The bot answers a question", "pass", ["001-question"]),
      {
        ...scenario(`The bot yields to an interruption ${HOSTILE_TEXT}`, "fail", [
          "002-interrupted",
        ]),
        error: {
          code: "ERR_LATENCY_ABOVE_LIMIT",
          message: "\u001b[31mbarge-in stop latency: expected ≤ 300 ms, heard 421 ms\u001b[39m",
        },
      },
      scenario("The bot hangs up when it is asked to", "inconclusive", ["003-hang-up"]),
    ],
    calls,
  };
  return { run, records };
}

function scenario(
  name: string,
  verdict: ScenarioSummary["verdict"],
  callIds: readonly string[],
): ScenarioSummary {
  const last =
    verdict === "fail"
      ? { status: "failed", error: { code: "ERR_LATENCY_ABOVE_LIMIT", message: "421 ms > 300 ms" } }
      : { status: "passed" };
  return {
    name,
    feature: "First call",
    uri: "features/first-call.feature",
    line: 7,
    tags: ["@smoke"],
    verdict,
    durationMs: 9200,
    steps: [
      { keyword: "Given ", text: "a bot that answers calls", status: "passed", durationMs: 12 },
      { keyword: "When ", text: "the caller asks something", status: "passed", durationMs: 8100 },
      { keyword: "Then ", text: "the bot answers within 1,500 ms", durationMs: 4, ...last },
    ],
    callIds,
  };
}

const QUESTION: CallPlan = {
  id: "001-question",
  endMs: 9000,
  utterances: [{ id: "what-time-is-breakfast", fromMs: 3400, toMs: 4700 }],
  responses: [
    {
      id: "r1",
      createdMs: 150,
      firstAudioMs: 260,
      playoutStartedMs: 280,
      playoutEndedMs: 2900,
      speech: [
        { fromMs: 300, toMs: 1700 },
        { fromMs: 2000, toMs: 2900 },
      ],
    },
    {
      id: "r2",
      stoppedMs: 5240,
      createdMs: 5250,
      firstAudioMs: 5560,
      playoutStartedMs: 5580,
      playoutEndedMs: 8500,
      speech: [
        { fromMs: 5610, toMs: 6900 },
        { fromMs: 7200, toMs: 8500 },
      ],
    },
  ],
  facts: (at) => [
    ...sipDialog(at, 9000, "caller"),
    by("bot", { kind: "aiTranscript", of: "caller", text: HOSTILE_TEXT, at: at(5245) }),
    by("bot", {
      kind: "aiTranscript",
      of: "bot",
      text: "Breakfast is served from seven until ten.",
      at: at(8510),
    }),
    statistics("caller", at(9001), 0.4),
    statistics("bot", at(9001), 0.6),
  ],
};

function questionCall(): CallRecord {
  return syntheticCall(QUESTION);
}

function interruptedCall(): CallRecord {
  return syntheticCall({
    id: "002-interrupted",
    endMs: 9000,
    utterances: [
      { id: "mm-hmm", fromMs: 1500, toMs: 1850, purpose: "backchannel" },
      { id: "excuse-me", fromMs: 3000, toMs: 4100, purpose: "interruption" },
    ],
    responses: [
      {
        id: "long",
        createdMs: 200,
        firstAudioMs: 420,
        playoutStartedMs: 440,
        flushedMs: 3350,
        speech: [
          { fromMs: 460, toMs: 3350 },
          { fromMs: 3600, toMs: 3750 },
        ],
      },
      {
        id: "answer",
        stoppedMs: 4620,
        createdMs: 4630,
        firstAudioMs: 4900,
        playoutStartedMs: 4920,
        playoutEndedMs: 7000,
        speech: [{ fromMs: 4950, toMs: 7000 }],
      },
    ],
    facts: (at) => [
      ...sipDialog(at, 9000, "caller"),
      by("bot", { kind: "aiCallerSpeech", event: "started", audioMs: 3200, at: at(3310) }),
      by("bot", {
        kind: "interruption",
        responseId: "long",
        playedMs: 2890,
        truncationSent: true,
        at: at(3352),
      }),
    ],
  });
}

function hangUpCall(): CallRecord {
  const tool = { kind: "toolCall", toolCallId: "t1", name: "hangup_call", arguments: {} } as const;
  const digits = { kind: "digit", method: "telephone-event", durationMs: 160 } as const;
  return syntheticCall({
    id: "003-hang-up",
    endMs: 6000,
    utterances: [{ id: "please-hang-up", fromMs: 1000, toMs: 2000 }],
    responses: [
      {
        id: "goodbye",
        stoppedMs: 2540,
        createdMs: 2550,
        firstAudioMs: 2800,
        playoutStartedMs: 2820,
        playoutEndedMs: 5700,
        speech: [{ fromMs: 2850, toMs: 5700 }],
      },
    ],
    facts: (at) => [
      ...sipDialog(at, 5900, "bot"),
      by("bot", {
        kind: "toolCall",
        event: "called",
        toolCallId: "t0",
        name: "send_dtmf",
        arguments: { digits: "42" },
        at: at(2600),
      }),
      ...["4", "2"].map((digit, index) =>
        by("caller", {
          ...digits,
          digit,
          direction: "received",
          at: at(2700 + index * 250),
          endedAt: at(2860 + index * 250),
        }),
      ),
      by("bot", { ...tool, event: "called", at: at(2900) }),
      by("bot", { ...tool, event: "started", at: at(5720) }),
      statistics("caller", at(6001), 14),
    ],
  });
}

type AtMs = Parameters<NonNullable<CallPlan["facts"]>>[0];

function sipDialog(at: AtMs, byeMs: number, hungUpBy: Party): Fact[] {
  const ends =
    hungUpBy === "caller" ? (["sent", "received"] as const) : (["received", "sent"] as const);
  const rows = [
    ["sent", "INVITE", undefined, -200],
    ["received", "INVITE", "100 Trying", -190],
    ["received", "INVITE", "180 Ringing", -150],
    ["received", "INVITE", "200 OK", 0],
    ["sent", "ACK", undefined, 3],
    [ends[0], "BYE", undefined, byeMs],
    [ends[1], "BYE", "200 OK", byeMs + 4],
  ] as const;
  return rows.map(([direction, method, status, ms]) =>
    by("caller", {
      kind: "sipMessage",
      direction,
      method,
      transport: "UDP",
      local: "127.0.0.1:5062",
      remote: "127.0.0.1:5060",
      startLine: status === undefined ? `${method} sip:bot@127.0.0.1` : `SIP/2.0 ${status}`,
      ...(status === undefined ? {} : { statusCode: Number.parseInt(status, 10) }),
      cseq: 1,
      text: `${method}\r\nProxy-Authorization: Digest response="topsecret"\r\nTo: <sip:bot@127.0.0.1>\r\n`,
      at: at(ms),
    }),
  );
}

function statistics(party: Party, at: ReturnType<AtMs>, departureJitterMsP99: number): Fact {
  return by(party, {
    kind: "mediaStatistics",
    ...UNEVENTFUL_MEDIA,
    at,
    packetsSent: 450,
    bytesSent: 77_400,
    packetsReceived: 449,
    packetsExpected: 450,
    lost: 1,
    late: 0,
    discarded: 0,
    duplicate: 0,
    outOfOrder: 0,
    malformed: 0,
    foreign: 0,
    interarrivalJitterMs: 0.42,
    concealedMs: 20,
    departureJitterMsP50: 0.1,
    departureJitterMsP99,
    departureJitterMsMax: 15,
    missedDeadlines: 0,
  });
}
