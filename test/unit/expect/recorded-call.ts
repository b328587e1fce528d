import { type CallIdentity, WatchedCall } from "../../../src/call/index.ts";
import { instant } from "../../../src/environment/index.ts";
import type { RecordedAudio } from "../../../src/measure/index.ts";
import { ManualClock } from "../../../src/testing/index.ts";
import type { Fact, FactDraft, FactKind, Party } from "../../../src/timeline/index.ts";
import { UNEVENTFUL_MEDIA } from "../report/uneventful-media.ts";

type Draft = Omit<FactDraft, "at"> & { readonly kind: FactKind };

/** A fact of one end, at this instant of the call. */
function fact(party: Party, atMs: number, draft: Draft): Fact {
  return { party, at: instant(atMs), ...draft } as Fact;
}

/**
 * A call that is over, made of its facts, and of what the caller recorded, if anything: what an
 * expectation sees of a real one.
 */
export function recordedCall(
  facts: readonly Fact[],
  parties: readonly Party[] = ["caller", "bot"],
  audio?: RecordedAudio,
): WatchedCall {
  const { call, links } = madeCall(facts, parties, undefined, audio);
  for (const link of links) call.endEnded(link);
  return call;
}

/** The same while it is up; its clock stands still. */
export function upCall(
  facts: readonly Fact[],
  parties: readonly Party[] = ["caller", "bot"],
  clock?: ManualClock,
): WatchedCall {
  return madeCall(facts, parties, clock).call;
}

type Link = Parameters<WatchedCall["addEnd"]>[1];

function madeCall(
  facts: readonly Fact[],
  parties: readonly Party[],
  clock: ManualClock = new ManualClock(instant(10_000)),
  audio?: RecordedAudio,
): { readonly call: WatchedCall; readonly links: readonly Link[] } {
  const links: Link[] = [];
  const call = new WatchedCall({
    id: "001",
    callId: "call-1",
    clock,
    context: { seed: "s", sidetoneVersion: "0", node: "v20", platform: "linux" },
  });
  for (const party of parties) {
    const identity: CallIdentity = {
      callId: "call-1",
      party,
      direction: party === "caller" ? "outbound" : "inbound",
      local: "sip:a@127.0.0.1",
      remote: "sip:b@127.0.0.1",
      startedAtWallMs: 0,
    };
    // The only verb that expectations use.
    const artifacts = { identity, ...(party === "caller" && audio ? { audio } : {}) };
    const link = { call: () => Promise.resolve(artifacts) } as unknown as Link;
    links.push(link);
    call.addEnd(identity, link);
  }
  for (const each of facts) call.timeline.add(each);
  return { call, links };
}

/** Media that both ends agreed on. */
export function mediaStarted(
  party: Party,
  change: { readonly codec?: string; readonly srtpSuite?: string } = {},
): Fact {
  return fact(party, 1100, {
    kind: "mediaStarted",
    codec: "G722",
    payloadType: 9,
    ptimeMs: 20,
    clockRateHz: 8000,
    sampleRateHz: 16_000,
    local: "127.0.0.1:16384",
    remote: "127.0.0.1:16386",
    playoutDelayMs: 40,
    ssrc: 1,
    ...change,
  } as Draft);
}

/** What an end counted. */
export function counted(
  party: Party,
  change: {
    readonly lost?: number;
    readonly concealedMs?: number;
    readonly received?: number;
    readonly departureJitterMs?: number;
  } = {},
): Fact {
  const { lost = 0, concealedMs = 0, received = 100 - lost, departureJitterMs = 0.5 } = change;
  return fact(party, 3000, {
    kind: "mediaStatistics",
    ...UNEVENTFUL_MEDIA,
    packetsSent: 100,
    bytesSent: 16_000,
    packetsReceived: received,
    packetsExpected: received + lost,
    lost,
    late: 0,
    discarded: 0,
    duplicate: 0,
    outOfOrder: 0,
    malformed: 0,
    foreign: 0,
    interarrivalJitterMs: 0.1,
    concealedMs,
    departureJitterMsP50: 0.1,
    departureJitterMsP99: departureJitterMs,
    departureJitterMsMax: departureJitterMs,
    missedDeadlines: 0,
  } as Draft);
}

/** A round trip that RTCP measured. */
export function roundTrip(party: Party, atMs: number, roundTripMs: number): Fact {
  return fact(party, atMs, { kind: "rtcpReport", report: "RR", roundTripMs } as Draft);
}

/** Keys that arrived. */
export function digitsReceived(
  digits: string,
  how: {
    readonly party?: Party;
    readonly method?: "telephone-event" | "in-band" | "info";
    readonly durationMs?: number;
    readonly fromMs?: number;
  } = {},
): Fact[] {
  const { party = "caller", method = "telephone-event", durationMs = 100, fromMs = 1500 } = how;
  return Array.from(digits).map((digit, index) =>
    fact(party, fromMs + 200 * index, {
      kind: "digit",
      direction: "received",
      method,
      digit,
      durationMs,
      endedAt: instant(fromMs + 200 * index + durationMs),
    } as Draft),
  );
}

/** How an end saw the call's end. */
export function ended(
  party: Party,
  how: {
    readonly reason: string;
    readonly statusCode?: number;
    readonly endedBy?: "local" | "remote";
  },
): Fact {
  return fact(party, 3000, {
    kind: "callPhase",
    phase: "ended",
    endedBy: "remote",
    ...how,
  } as Draft);
}

/** A fault that an end recorded. */
export function fault(party: Party, code: string): Fact {
  return fact(party, 2900, { kind: "fault", code, message: "Why.", fault: "remote" } as Draft);
}

/** The code that a promise is rejected with, kept until somebody asks. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as { readonly code?: string }).code ?? String(error);
  }
  return "it was not rejected";
}
