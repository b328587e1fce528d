import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  type Environment,
  EnvironmentError,
  instant,
  SILENT_LOGGER,
  seededRandom,
} from "../environment/index.ts";
import type { MediaSettings } from "../media/index.ts";
import { NodeCryptography } from "../platform/index.ts";
import { ManualClock, VirtualNetwork } from "../testing/index.ts";
import type { Fact, FactOf } from "../timeline/index.ts";
import { Agent } from "./agent.ts";
import type { AgentOptions } from "./agent-options.ts";

/** SIP, RTP and both agents in one process, on a virtual network: seconds of call in milliseconds. */
function openWorld() {
  const clock = new ManualClock(instant(1000));
  const random = seededRandom("agent");
  const network = new VirtualNetwork({ clock, random, latencyMs: 5 });
  const cryptography = new NodeCryptography(seededRandom("agent keys"));
  const environment: Environment = { clock, random, network, cryptography, logger: SILENT_LOGGER };
  const facts: Fact[] = [];
  const ended: string[] = [];
  const observer = {
    onCall: () => {},
    onFact: (_callId: string, fact: Fact) => facts.push(fact),
    onEnded: (callId: string) => ended.push(callId),
  };
  const agents: Agent[] = [];
  const open = async (options: Pick<AgentOptions, "party"> & Partial<AgentOptions>) => {
    const address = options.party === "caller" ? "10.0.0.1" : "10.0.0.2";
    const agent = await Agent.open(
      environment,
      {
        user: options.party,
        local: { address, port: 5060 },
        dialling: { allow: ["10.0.0.0/24"] },
        ...options,
      },
      { observer },
    );
    agents.push(agent);
    return agent;
  };
  const advance = async (ms: number): Promise<void> => {
    for (let step = 0; step < ms; step += 5) {
      // oxlint-disable-next-line no-await-in-loop -- sip.js's own timers run on the fake clock.
      await vi.advanceTimersByTimeAsync(5);
      // oxlint-disable-next-line no-await-in-loop -- as above.
      await clock.advanceAsync(5);
    }
  };
  const phases = (party: string): FactOf<"callPhase">[] =>
    facts
      .filter(
        (fact): fact is FactOf<"callPhase"> => fact.kind === "callPhase" && fact.party === party,
      )
      .toSorted((left, right) => left.at - right.at);
  return { clock, network, facts, ended, agents, open, advance, phases };
}

describe("Agent", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it("carries a call from INVITE to BYE, with media both ways and facts at both ends", async () => {
    const world = openWorld();
    const bot = await world.open({ party: "bot", answer: { kind: "answer", ringMs: 100 } });
    const caller = await world.open({ party: "caller" });

    const call = await caller.dial(bot.uri);
    await world.advance(1000);
    void call.hangUp();
    await world.advance(200);

    expect(world.phases("caller").map(({ phase }) => phase)).toEqual([
      "dialed",
      "ringing",
      "answered",
      "confirmed",
      "ended",
    ]);
    expect(world.phases("bot").map(({ phase }) => phase)).toEqual([
      "offered",
      "ringing",
      "answered",
      "confirmed",
      "ended",
    ]);
    expect(world.phases("caller").at(-1)).toMatchObject({ endedBy: "local", reason: "bye" });
    expect(world.phases("bot").at(-1)).toMatchObject({ endedBy: "remote", reason: "bye" });
    const received = world.facts.filter((fact) => fact.kind === "mediaStatistics");
    expect(received).toHaveLength(2);
    for (const { packetsReceived } of received) expect(packetsReceived).toBeGreaterThan(40);
    expect(world.ended).toHaveLength(2);
  });

  it("sets up and ends its calls though a fifth of its SIP is lost each way", async () => {
    const world = openWorld();
    const loss = { loss: { kind: "bernoulli", lossRatio: 0.2 } } as const;
    const bot = await world.open({ party: "bot", answer: { kind: "answer", ringMs: 0 } });
    const caller = await world.open({
      party: "caller",
      sipNetwork: { sent: loss, received: loss },
      keepsRecordings: false,
    });
    const calls = await Promise.all(Array.from({ length: 12 }, () => caller.dial(bot.uri)));
    await world.advance(20_000);
    for (const call of calls) void call.hangUp();
    await world.advance(20_000);

    const phasesOf = (phase: string): number =>
      world.phases("caller").filter((fact) => fact.phase === phase).length;
    expect([phasesOf("answered"), phasesOf("confirmed")]).toEqual([12, 12]);
    const ends = world.phases("bot").filter(({ phase }) => phase === "ended");
    expect(ends.map(({ reason }) => reason)).toEqual(Array(12).fill("bye"));
    const counts = world.facts.filter(
      (fact) => fact.kind === "networkCounts" && fact.leg === "signalling",
    ) as FactOf<"networkCounts">[];
    expect(counts).toHaveLength(12);
    for (const { party, sent, received } of counts) {
      expect(party).toBe("caller");
      const { offered, duplicated, delivered, lost, overflowed, underWay } = sent;
      expect(offered + duplicated).toBe(delivered + lost + overflowed + underWay);
      expect(lost + received.lost).toBeGreaterThan(5);
    }
    const repeated = world.facts.filter(
      (fact) => fact.kind === "sipMessage" && fact.retransmission,
    );
    expect(repeated.length).toBeGreaterThan(5);
  }, 20_000);

  it("changes the network of its SIP, and says so in the calls that are up", async () => {
    const world = openWorld();
    const bot = await world.open({ party: "bot", answer: { kind: "answer", ringMs: 0 } });
    const caller = await world.open({ party: "caller" });
    await caller.dial(bot.uri);
    await world.advance(200);
    caller.changeSipNetwork({ sent: { delay: { delayMs: 30 } } });
    const changes = world.facts.filter((fact) => fact.kind === "networkChanged");
    expect(changes).toMatchObject([
      { party: "caller", leg: "signalling", description: "sent: 30 ms", at: 1200 },
    ]);
    expect(() => caller.changeSipNetwork({ sent: { duplicateRatio: 2 } })).toThrow(
      expect.objectContaining({ code: "ERR_IMPAIRMENT" }),
    );
  });

  it("refuses what it may not call before a packet leaves", async () => {
    const world = openWorld();
    const dialling = { allow: ["10.0.0.0/24"], maxCalls: 1, maxRingMs: 10_000 };
    const caller = await world.open({ party: "caller", dialling });
    const refusals = [
      ["sip:bot@10.0.1.2", {}, "ERR_TARGET_NOT_ALLOWED"],
      ["sip:bot@bot.example", {}, "ERR_TARGET_NOT_ALLOWED"],
      ["sip:bot@10.0.0.2;maddr=10.0.1.2", {}, "ERR_TARGET_NOT_ALLOWED"],
      ["sip:bot@10.0.0.2", { headers: ["Route: <sip:10.0.1.2;lr>"] }, "ERR_TARGET_NOT_ALLOWED"],
      ["sip:112@10.0.0.2", {}, "ERR_NUMBER_REFUSED"],
      ["sip:bot@10.0.0.2", { ringTimeoutMs: 10_001 }, "ERR_CALL_LIMIT"],
    ] as const;
    for (const [target, options, code] of refusals) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, to see which sends.
      await expect(caller.dial(target, options)).rejects.toMatchObject({ code });
    }
    await world.advance(100);
    expect(world.network.counts.sent).toBe(0);
    expect(world.facts).toEqual([]);

    const call = await caller.dial("sip:bot@10.0.0.2");
    await expect(caller.dial("sip:bot@10.0.0.2")).rejects.toMatchObject({
      code: "ERR_CALLS_EXHAUSTED",
    });
    expect(caller.liveState.calls).toBe(1);
    void call.hangUp();
  });

  it("goes over to another codec in mid-call, from either end, and digits follow", async () => {
    const world = openWorld();
    const media = { codecs: ["PCMU", "G722", "PCMA"] } as const;
    const bot = await world.open({ party: "bot", media, answer: { kind: "answer", ringMs: 0 } });
    const caller = await world.open({ party: "caller" });
    const call = await caller.dial(bot.uri, { media: { codecs: ["PCMU"] } });
    await world.advance(500);

    const changes = [call.changeMedia({ codecs: ["G722", "PCMA"], ptimeMs: 30 })];
    await world.advance(500);
    changes.push(bot.call(call.callId)?.changeMedia({ codecs: ["PCMA"] }) ?? Promise.reject());
    await world.advance(500);
    changes.push(call.press({ digits: "5" }));
    await world.advance(500);
    await Promise.all(changes);
    void call.hangUp();
    await world.advance(100);

    const changed = world.facts.filter((fact) => fact.kind === "mediaChanged");
    expect(changed.map(({ party, codec }) => `${party} ${codec}`).toSorted()).toEqual([
      "bot G722",
      "bot PCMA",
      "caller G722",
      "caller PCMA",
    ]);
    const statistics = world.facts.filter((fact) => fact.kind === "mediaStatistics");
    expect(statistics).toHaveLength(2);
    for (const each of statistics) expect(each).toMatchObject({ lost: 0, unknownPayload: 0 });
    const digits = world.facts.filter((fact) => fact.kind === "digit" && fact.party === "bot");
    expect(digits).toMatchObject([{ digit: "5", direction: "received" }]);
  });

  it.each(["required", "supported", "off"] as const)(
    "lets the caller hear the bot before it answers (reliable provisional responses %s)",
    async (reliableProvisional) => {
      const world = openWorld();
      const answer = { kind: "answer", ringMs: 3000, earlyMedia: "ringback" } as const;
      const dialog = { reliableProvisional };
      const bot = await world.open({ party: "bot", dialog, answer, silentPeerLimitMs: 2000 });
      const caller = await world.open({ party: "caller", silentPeerLimitMs: 2000 });

      const call = await caller.dial(bot.uri, { dialog });
      await world.advance(2500);
      expect(world.phases("caller").at(-1)?.phase).toBe("earlyMedia");
      const heard = call.artifacts().audio?.right ?? new Int16Array();
      await world.advance(1500);
      expect(world.phases("caller").at(-1)?.phase).toBe("confirmed");
      void call.hangUp();
      await world.advance(200);

      // 1 s of tone of −20 dBov, then silence.
      const loud = heard.filter((sample) => Math.abs(sample) > 1000).length;
      expect(loud / 8000).toBeGreaterThan(0.6);
      expect(loud / 8000).toBeLessThan(1);
      for (const party of ["caller", "bot"]) {
        const phases = world.phases(party).map(({ phase }) => phase);
        expect(phases).toContain("earlyMedia");
        expect(phases.indexOf("earlyMedia")).toBeLessThan(phases.indexOf("answered"));
        const started = world.facts.filter(
          (fact) => fact.kind === "mediaStarted" && fact.party === party,
        );
        expect(started).toHaveLength(1);
      }
    },
  );

  it("does not miss a silent peer before the answer, but does after it", async () => {
    const world = openWorld();
    const answer = { kind: "answer", ringMs: 5000, earlyMedia: "silence" } as const;
    const bot = await world.open({ party: "bot", answer });
    const caller = await world.open({ party: "caller", silentPeerLimitMs: 1000 });
    await caller.dial(bot.uri);
    await world.advance(500);
    world.network.dropsIf = ({ from }) => from.address === "10.0.0.2" && from.port !== 5060;
    await world.advance(4000);
    expect(world.phases("caller").at(-1)?.phase).toBe("earlyMedia");
    await world.advance(2500);

    expect(world.phases("caller").at(-1)).toMatchObject({ phase: "ended", reason: "rtpTimeout" });
  });

  it("puts the other side on hold and takes it back", async () => {
    const world = openWorld();
    const bot = await world.open({ party: "bot", answer: { kind: "answer", ringMs: 0 } });
    const caller = await world.open({ party: "caller", silentPeerLimitMs: 2000 });
    const call = await caller.dial(bot.uri);
    await world.advance(500);

    const changes = [call.changeMedia({ direction: "inactive" })];
    await world.advance(6000);
    changes.push(call.changeMedia({ direction: "sendrecv" }));
    await world.advance(1000);
    await Promise.all(changes);
    expect(call.hasEnded).toBe(false);
    void call.hangUp();
    await world.advance(100);

    const statistics = world.facts.find((fact) => fact.kind === "mediaStatistics");
    // 8 s of call, of which 6 s were held.
    expect(statistics?.packetsSent).toBeGreaterThan(60);
    expect(statistics?.packetsSent).toBeLessThan(90);
  });

  it("refuses a second change while one is under way, and does not mix the two", async () => {
    const world = openWorld();
    const media = { codecs: ["PCMU", "G722", "PCMA"] } as const;
    const bot = await world.open({ party: "bot", media, answer: { kind: "answer", ringMs: 0 } });
    const caller = await world.open({ party: "caller" });
    const call = await caller.dial(bot.uri);
    await world.advance(500);

    const first = call.changeMedia({ codecs: ["G722"] });
    const second = call.changeMedia({ codecs: ["PCMA"] }).catch((error: unknown) => error);
    await world.advance(500);
    await first;

    expect(await second).toMatchObject({ code: "ERR_CALL_STATE" });
    const changed = world.facts.filter((fact) => fact.kind === "mediaChanged");
    expect(new Set(changed.map(({ codec }) => codec))).toEqual(new Set(["G722"]));
  });

  it("keeps the media as they were where the other side does not agree to others", async () => {
    const world = openWorld();
    const media = { codecs: ["PCMU"] } as const;
    const bot = await world.open({ party: "bot", media, answer: { kind: "answer", ringMs: 0 } });
    const caller = await world.open({ party: "caller" });
    const call = await caller.dial(bot.uri);
    await world.advance(500);

    const change = call.changeMedia({ codecs: ["G722"] });
    const outcome = change.catch((error: unknown) => error);
    await world.advance(500);
    expect(await outcome).toMatchObject({ code: "ERR_REINVITE_REFUSED" });

    expect(call.hasEnded).toBe(false);
    expect(world.facts.some(({ kind }) => kind === "mediaChanged")).toBe(false);
  });

  it("ends the call at the bot too when the caller gives up before the bot was ready", async () => {
    const world = openWorld();
    const bot = await world.open({ party: "bot", answer: { kind: "answer", ringMs: 5000 } });
    const caller = await world.open({ party: "caller" });

    const call = await caller.dial(bot.uri, { ringTimeoutMs: 30_000 });
    await world.advance(200);
    void call.hangUp();
    await world.advance(500);

    expect(world.phases("bot").at(-1)).toMatchObject({ phase: "ended", reason: "cancel" });
    expect(world.phases("caller").at(-1)).toMatchObject({ phase: "ended", endedBy: "local" });
    expect(world.ended).toHaveLength(2);
  });

  it("hangs up a call that outlives its limit, and says why", async () => {
    const world = openWorld();
    const bot = await world.open({ party: "bot", answer: { kind: "answer", ringMs: 0 } });
    const caller = await world.open({ party: "caller", callDurationLimitMs: 1000 });

    await caller.dial(bot.uri);
    await world.advance(1500);

    expect(world.phases("caller").at(-1)).toMatchObject({ phase: "ended", endedBy: "local" });
    expect(world.facts).toContainEqual(
      expect.objectContaining({ kind: "fault", code: "ERR_CALL_TOO_LONG", party: "caller" }),
    );
  });

  it("hangs up what is up when it is closed", async () => {
    const world = openWorld();
    const bot = await world.open({ party: "bot", answer: { kind: "answer", ringMs: 0 } });
    const caller = await world.open({ party: "caller" });
    await caller.dial(bot.uri);
    await world.advance(300);

    const closing = caller.close();
    await world.advance(3000);
    await closing;

    expect(world.phases("bot").at(-1)).toMatchObject({ endedBy: "remote", reason: "bye" });
    expect(bot.liveState.calls).toBe(0);
  });

  it("is over by its own BYE, though nothing answers that while no speech comes any more", async () => {
    const world = openWorld();
    const bot = await world.open({ party: "bot", answer: { kind: "answer", ringMs: 0 } });
    const caller = await world.open({ party: "caller", silentPeerLimitMs: 5000 });
    const call = await caller.dial(bot.uri);
    await world.advance(500);

    caller.changeSipNetwork({ received: { loss: { kind: "bernoulli", lossRatio: 1 } } });
    void call.hangUp();
    await world.advance(6000);

    expect(world.phases("bot").at(-1)).toMatchObject({ endedBy: "remote", reason: "bye" });
    expect(world.phases("caller").at(-1)).toMatchObject({ endedBy: "local", reason: "bye" });
    expect(world.facts.filter(({ kind }) => kind === "fault")).toEqual([]);
  });

  it("refuses a call with 503 when no media port is to be had, and goes on", async () => {
    const world = openWorld();
    const bot = await world.open({ party: "bot", answer: { kind: "answer", ringMs: 0 } });
    const caller = await world.open({ party: "caller" });
    const bind = world.network.bindDatagram.bind(world.network);
    world.network.bindDatagram = (local) =>
      local.address === "10.0.0.2"
        ? Promise.reject(new EnvironmentError("ERR_BIND_FAILED", "No port is left."))
        : bind(local);

    await caller.dial(bot.uri);
    await world.advance(300);
    world.network.bindDatagram = bind;
    await caller.dial(bot.uri);
    await world.advance(300);

    const ends = world.phases("caller").filter(({ phase }) => phase !== "confirmed");
    expect(ends).toContainEqual(
      expect.objectContaining({ phase: "ended", reason: "rejected", statusCode: 503 }),
    );
    expect(ends.at(-1)).toMatchObject({ phase: "answered" });
  });

  it("has in each call the media that were wanted of it, as the answer policy or the dialling says", async () => {
    const world = openWorld();
    const bot = await world.open({ party: "bot" });
    const caller = await world.open({ party: "caller" });
    const media = { codecs: ["G722"], srtp: "optional", srtpSuites: ["AEAD_AES_128_GCM"] } as const;
    bot.answerWith({ kind: "answer", ringMs: 0, media });

    await caller.dial(bot.uri, {
      media: {
        codecs: ["PCMU", "G722"],
        ptimeMs: 40,
        srtp: "required",
        rtcp: "separate",
        jitterBuffer: { kind: "fixed", delayMs: 80 },
      },
    });
    await world.advance(300);

    const started = world.facts.filter((fact) => fact.kind === "mediaStarted");
    const agreed = { codec: "G722", srtpSuite: "AEAD_AES_128_GCM", rtcp: "separate" };
    expect(started).toContainEqual(
      expect.objectContaining({ party: "bot", ptimeMs: 40, jitterBuffer: "adaptive", ...agreed }),
    );
    expect(started).toContainEqual(
      expect.objectContaining({
        party: "caller",
        ptimeMs: 20,
        jitterBuffer: "fixed",
        playoutDelayMs: 80,
        ...agreed,
      }),
    );
  });

  it("refuses with 488, and says why, where the two have no codec in common", async () => {
    const world = openWorld();
    const bot = await world.open({ party: "bot", media: { codecs: ["PCMA"] } });
    const caller = await world.open({ party: "caller", media: { codecs: ["L16/16000"] } });
    bot.answerWith({ kind: "answer", ringMs: 0 });

    await caller.dial(bot.uri);
    await world.advance(300);

    expect(world.phases("caller").at(-1)).toMatchObject({ reason: "rejected", statusCode: 488 });
    expect(world.phases("bot").at(-1)).toMatchObject({ reason: "noCommonCodec" });
    expect(world.facts).toContainEqual(
      expect.objectContaining({ kind: "fault", party: "bot", code: "ERR_SDP_NO_COMMON_CODEC" }),
    );
  });

  it("refuses settings that make no sense before anything is bound", async () => {
    const world = openWorld();
    const caller = await world.open({ party: "caller" });
    const wrong = [
      [{ codecs: ["G729"] }, "ERR_UNKNOWN_CODEC"],
      [{ codecs: [] }, "ERR_MEDIA_SETTINGS"],
      [{ srtpSuites: ["ROT13"] }, "ERR_UNKNOWN_SRTP_SUITE"],
      [{ ptimeMs: 25 }, "ERR_MEDIA_SETTINGS"],
      [{ opus: { complexity: 11 } }, "ERR_INVALID_OPUS_OPTIONS"],
      [{ jitterBuffer: { kind: "fixed", delayMs: -1 } }, "ERR_MEDIA_SETTINGS"],
      [{ jitterBuffer: { kind: "fixed", delayMs: 1001 } }, "ERR_MEDIA_SETTINGS"],
      [{ jitterBuffer: { kind: "adaptive", minMs: 200, maxMs: 40 } }, "ERR_MEDIA_SETTINGS"],
    ] as const;
    world.network.bindDatagram = () => Promise.reject(new Error("A port was bound."));

    for (const [settings, code] of wrong) {
      const media = settings as unknown as MediaSettings;
      // oxlint-disable-next-line no-await-in-loop -- one after the other.
      await expect(caller.dial("sip:bot@10.0.0.2", { media })).rejects.toMatchObject({ code });
      expect(() => caller.answerWith({ kind: "answer", ringMs: 0, media })).toThrow(
        expect.objectContaining({ code }),
      );
    }
  });

  it("refuses to speak in a call that is not answered", async () => {
    const world = openWorld();
    const bot = await world.open({ party: "bot", answer: { kind: "ringForever" } });
    const caller = await world.open({ party: "caller" });
    const call = await caller.dial(bot.uri);
    await world.advance(100);

    expect(() => call.press({ digits: "1" })).toThrow(/is not answered yet/u);
    void call.hangUp();
    await world.advance(500);
    expect(() => call.press({ digits: "1" })).toThrow(/has ended/u);
  });
});
