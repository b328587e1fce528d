import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Environment, instant, SILENT_LOGGER, seededRandom } from "../environment/index.ts";
import { NodeCryptography } from "../platform/index.ts";
import { ManualClock, VirtualNetwork } from "../testing/index.ts";
import type { Fact, TransferFact } from "../timeline/index.ts";
import { Agent } from "./agent.ts";
import type { AgentOptions } from "./agent-options.ts";
import { type BotTransferHost, transferByTool } from "./bot-transfer.ts";
import type { Call } from "./call.ts";
import type { CallIdentity } from "./call-artifacts.ts";

const ADDRESSES = { caller: "10.0.0.1", bot: "10.0.0.2", desk: "10.0.0.3" };
type Name = keyof typeof ADDRESSES;

/** Three agents in one process, on a virtual network: a caller, a bot, and a desk. */
function openWorld() {
  const clock = new ManualClock(instant(1000));
  const random = seededRandom("transfers");
  const network = new VirtualNetwork({ clock, random, latencyMs: 5 });
  const cryptography = new NodeCryptography(seededRandom("transfer keys"));
  const environment: Environment = { clock, random, network, cryptography, logger: SILENT_LOGGER };
  const facts: { readonly by: Name; readonly callId: string; readonly fact: Fact }[] = [];
  const identities: { readonly by: Name; readonly identity: CallIdentity }[] = [];
  const agents: Agent[] = [];
  const open = async (name: Name, options: Partial<AgentOptions> = {}): Promise<Agent> => {
    const party = name === "caller" ? "caller" : "bot";
    const agent = await Agent.open(
      environment,
      {
        party,
        user: name,
        local: { address: ADDRESSES[name], port: 5060 },
        answer: { kind: "answer", ringMs: 50 },
        dialling: { allow: ["10.0.0.0/24"] },
        ...options,
      },
      {
        observer: {
          onCall: (identity) => identities.push({ by: name, identity }),
          onFact: (callId, fact) => facts.push({ by: name, callId, fact }),
          onEnded: () => {},
        },
      },
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
  /** "transferor requested", "transferor accepted 202", …, of one agent's calls. */
  const transfers = (name: Name, callId?: string): string[] =>
    facts
      .filter((each) => each.by === name && (callId === undefined || each.callId === callId))
      .flatMap(({ fact }) => (fact.kind === "transfer" ? [briefly(fact)] : []));
  const ends = (name: Name): string[] =>
    facts
      .filter((each) => each.by === name)
      .flatMap(({ fact }) =>
        fact.kind === "callPhase" && fact.phase === "ended"
          ? [`${fact.endedBy} ${fact.reason}`]
          : [],
      );
  return { open, advance, facts, identities, agents, transfers, ends };
}

type World = ReturnType<typeof openWorld>;

function briefly({ role, event, statusCode }: TransferFact): string {
  return `${role} ${event}${statusCode === undefined ? "" : ` ${statusCode}`}`;
}

/** What a promise comes to, while time is passed by hand. */
function settled<Value>(promise: Promise<Value>): { value?: Value; error?: unknown } {
  const outcome: { value?: Value; error?: unknown } = {};
  void (async () => {
    try {
      outcome.value = await promise;
    } catch (error) {
      outcome.error = error;
    }
  })();
  return outcome;
}

async function connected(
  options: { readonly caller?: Partial<AgentOptions>; readonly desk?: Partial<AgentOptions> } = {},
): Promise<{ world: World; caller: Agent; bot: Agent; desk: Agent; callers: Call; bots: Call }> {
  const world = openWorld();
  const desk = await world.open("desk", options.desk);
  const bot = await world.open("bot");
  const caller = await world.open("caller", options.caller);
  const callers = await caller.dial(bot.uri);
  await world.advance(300);
  const bots = bot.call(callers.callId) as Call;
  return { world, caller, bot, desk, callers, bots };
}

let open: World | undefined;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(async () => {
  const closing = (open?.agents ?? []).map((agent) => agent.close());
  await open?.advance(2500);
  await Promise.all(closing);
  open = undefined;
  vi.useRealTimers();
});

describe("an agent's transfers", () => {
  it("sends the caller to the desk, with media, and the bot leaves", async () => {
    const { world, desk, callers, bots } = await connected();
    open = world;

    const outcome = settled(bots.transfer({ target: desk.uri }));
    await world.advance(1000);

    expect(outcome.value).toMatchObject({ result: "completed", statusCode: 200 });
    expect(world.transfers("bot")).toEqual([
      "transferor requested",
      "transferor accepted 202",
      "transferor progress 100",
      "transferor progress 180",
      "transferor completed 200",
    ]);
    expect(world.transfers("caller", callers.callId)).toEqual([
      "transferee requested",
      "transferee accepted 202",
      "transferee progress 180",
      "transferee completed 200",
    ]);
    const placed = world.facts.find(
      ({ by, fact }) => by === "caller" && fact.kind === "transfer" && fact.event === "placed",
    );
    expect(placed?.fact).toMatchObject({ target: desk.uri, otherCallId: callers.callId });
    expect(world.transfers("desk")).toEqual(["target offered"]);
    expect([callers.hasEnded, bots.hasEnded]).toEqual([true, true]);
    expect(world.ends("bot")).toEqual(["local bye"]);
    const purposes = world.identities.map(({ by, identity }) => [by, identity.purpose]);
    expect(purposes).toEqual([
      ["caller", undefined],
      ["bot", undefined],
      ["caller", "transferred"],
      ["desk", "transferred"],
    ]);
    const flows = world.facts.filter(
      ({ by, callId, fact }) =>
        by === "desk" && callId === placed?.callId && fact.kind === "rtpFlow",
    );
    expect(flows.length).toBeGreaterThan(0);
  });

  it("leaves the call up where the desk is busy, and where the caller will not go", async () => {
    const { world, caller, desk, bots } = await connected({
      desk: { answer: { kind: "reject", statusCode: 486 } },
    });
    open = world;

    const busy = settled(bots.transfer({ target: desk.uri }));
    await world.advance(500);
    caller.treatTransfers({ kind: "refuse", statusCode: 603 });
    const refused = settled(bots.transfer({ target: desk.uri }));
    await world.advance(500);

    expect(busy.value).toMatchObject({ result: "failed", statusCode: 486 });
    expect(refused.value).toMatchObject({ result: "refused", statusCode: 603 });
    expect(bots.hasEnded).toBe(false);
    expect(world.transfers("caller").at(-1)).toBe("transferee refused 603");
  });

  it("gives up a transfer that rings for too long, and the caller's call with it", async () => {
    const { world, desk, bots } = await connected({ desk: { answer: { kind: "ringForever" } } });
    open = world;

    const short = settled(bots.transfer({ target: desk.uri, timeoutMs: 2000 }));
    const second = settled(bots.transfer({ target: desk.uri }));
    await world.advance(2500);

    expect(short.value).toMatchObject({ result: "timedOut" });
    expect(second.error).toMatchObject({ code: "ERR_CALL_STATE" });
    expect(world.transfers("bot").at(-1)).toBe("transferor timedOut");
    expect(bots.hasEnded).toBe(false);
  });

  it("tells the transferor where the new call cannot even be placed", async () => {
    // The caller's ports last for one call.
    const media = { rtpPorts: { first: 40_000, last: 40_001 } };
    const { world, desk, bots } = await connected({ caller: { media } });
    open = world;

    const unspeakable = settled(bots.transfer({ target: "sip:desk@10.0.0.3;transport=sctp" }));
    await world.advance(50);
    const noPorts = settled(bots.transfer({ target: desk.uri }));
    await world.advance(500);

    expect(unspeakable.error).toMatchObject({ code: "ERR_TARGET_UNSUPPORTED" });
    expect(noPorts.value).toMatchObject({ result: "failed", statusCode: 503 });
    const faults = world.facts.flatMap(({ fact }) => (fact.kind === "fault" ? [fact.code] : []));
    expect(faults).toEqual(["ERR_RTP_PORTS_EXHAUSTED"]);
  });

  it("calls nobody whom the agent may not call, and says so to whoever asked", async () => {
    const { world, callers, bots } = await connected();
    open = world;

    const outcome = settled(bots.transfer({ target: "sip:desk@192.0.2.77" }));
    await world.advance(500);

    expect(outcome.value).toMatchObject({ result: "failed", statusCode: 403 });
    const faults = world.facts.flatMap(({ fact }) => (fact.kind === "fault" ? [fact.code] : []));
    expect(faults).toEqual(["ERR_TARGET_NOT_ALLOWED"]);
    expect(callers.hasEnded).toBe(false);
  });

  it("puts the caller through to the desk that the bot has asked before", async () => {
    const { world, bot, desk, callers, bots } = await connected();
    open = world;
    const consultation = await bot.dial(desk.uri);
    await world.advance(300);

    const outcome = settled(bots.transfer(consultation.dialog()));
    await world.advance(1000);

    expect(outcome.value).toMatchObject({ result: "completed" });
    expect(world.transfers("desk")).toEqual(["target offered", "target replaced"]);
    expect([callers.hasEnded, consultation.hasEnded]).toEqual([true, true]);
  });

  it("lets the desk refuse whoever wants to replace a call, and that one goes on", async () => {
    const { world, bot, desk, bots } = await connected();
    open = world;
    const consultation = await bot.dial(desk.uri);
    await world.advance(300);
    desk.answerWith({ kind: "reject", statusCode: 600 });

    const outcome = settled(bots.transfer(consultation.dialog()));
    await world.advance(500);

    expect(outcome.value).toMatchObject({ result: "failed", statusCode: 600 });
    expect(consultation.hasEnded).toBe(false);
    expect(world.transfers("desk")).toEqual(["target offered"]);
  });
});

function host(bot: Agent, desk: Agent): BotTransferHost {
  return { destinations: { desk: desk.uri }, dial: (target) => bot.dial(target) };
}

describe("the tool transfer_call", () => {
  const destination = "Desk";

  it("transfers to a name, and leaves", async () => {
    const { world, bot, desk, bots } = await connected();
    open = world;
    const request = { destination, attended: false };
    const outcome = settled(transferByTool(bots, request, host(bot, desk)));
    await world.advance(1000);
    expect(outcome.value).toMatchObject({ result: "completed", statusCode: 200 });
    expect(bots.hasEnded).toBe(true);
  });

  it("asks first, where it is told to, and then joins the two", async () => {
    const { world, bot, desk, callers, bots } = await connected();
    open = world;
    const request = { destination, attended: true };
    const outcome = settled(transferByTool(bots, request, host(bot, desk)));
    await world.advance(1500);
    expect(outcome.value).toMatchObject({ result: "completed" });
    expect(callers.hasEnded).toBe(true);
    expect(world.transfers("desk")).toEqual(["target offered", "target replaced"]);
    expect(world.ends("bot")).toEqual(expect.arrayContaining(["local bye", "remote bye"]));
  });

  it("does not disturb the caller where nobody is there to be asked", async () => {
    const { world, bot, desk, bots } = await connected({
      desk: { answer: { kind: "reject", statusCode: 480 } },
    });
    open = world;
    const request = { destination, attended: true };
    const outcome = settled(transferByTool(bots, request, host(bot, desk)));
    await world.advance(1000);
    expect(outcome.error).toMatchObject({
      code: "ERR_TRANSFER_FAILED",
      context: { outcome: "failed", statusCode: 480 },
    });
    expect(world.transfers("bot")).toEqual([]);
    expect(bots.hasEnded).toBe(false);
  });

  it("stops asking where the caller hangs up meanwhile", async () => {
    const { world, bot, desk, callers, bots } = await connected({
      desk: { answer: { kind: "ringForever" } },
    });
    open = world;
    const request = { destination, attended: true };
    const outcome = settled(transferByTool(bots, request, host(bot, desk)));
    await world.advance(500);
    void callers.hangUp();
    await world.advance(500);
    expect(world.ends("desk")).toEqual(["remote cancel"]);
    expect(outcome.error).toMatchObject({ code: "ERR_TRANSFER_FAILED" });
  });

  it("hangs up on whoever was asked where the caller will not go", async () => {
    const { world, bot, desk, bots } = await connected({
      caller: { transfers: { kind: "refuse", statusCode: 603 } },
    });
    open = world;
    const request = { destination, attended: true };
    const outcome = settled(transferByTool(bots, request, host(bot, desk)));
    await world.advance(1500);
    expect(outcome.error).toMatchObject({ code: "ERR_TRANSFER_REFUSED" });
    expect(world.ends("desk")).toEqual(["remote bye"]);
    expect(bots.hasEnded).toBe(false);
  });

  it("says what there is where the model makes a destination up", async () => {
    const { world, bot, desk, bots } = await connected();
    open = world;
    const request = { destination: "the moon", attended: false };
    const outcome = settled(transferByTool(bots, request, host(bot, desk)));
    await world.advance(50);
    expect(outcome.error).toMatchObject({
      code: "ERR_TOOL_ARGUMENTS",
      message: 'There is no such destination. There are: "desk".',
    });
  });
});
