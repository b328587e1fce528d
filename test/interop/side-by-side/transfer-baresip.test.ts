import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { present } from "../../../src/environment/index.ts";
import type { EmbeddedAi, Harness, RemoteAgent, WatchedCall } from "../../../src/index.ts";
import { scriptPath } from "../../../src/index.ts";
import { addBot, LOCAL, openTestHarness } from "../../loopback/bench-bot.ts";
import { Baresip } from "../support/baresip.ts";
import { onTelephone } from "../support/known-speech.ts";
import { ADDRESS, baresipPorts, callWith } from "../support/spoken-calls.ts";
import { because, missingReason } from "../support/tools.ts";

const MISSING = missingReason(["baresip"]);
const TIMEOUT_MS = 60_000;

describe.skipIf(MISSING !== undefined)(`Transfers with baresip${because(MISSING)}`, () => {
  let test: Awaited<ReturnType<typeof openTestHarness>>;
  let harness: Harness;
  let ai: EmbeddedAi;
  let desk: RemoteAgent;
  const running: Baresip[] = [];

  beforeAll(async () => {
    test = await openTestHarness("transfer with baresip");
    harness = test.harness;
    ai = await harness.startEmbeddedAi({ scriptPath: scriptPath("transfer") });
    desk = await harness.addAgent({
      party: "bot",
      user: "desk",
      local: LOCAL,
      answer: { kind: "answer", ringMs: 200 },
    });
  });

  afterEach(async () => {
    await Promise.all(running.splice(0).map((baresip) => baresip.stop()));
  });

  afterAll(() => test.close());

  async function start(user: string, answers = false): Promise<Baresip> {
    const baresip = await Baresip.start({
      user,
      address: ADDRESS,
      ...(await baresipPorts()),
      speech: onTelephone(harness.voices.find("caller", "mm-hmm"), 60_000),
      answers,
    });
    running.push(baresip);
    return baresip;
  }

  it(
    "our bot sends baresip to the desk, is told so to the end, and leaves",
    async () => {
      const bot = await addBot(harness, ai);
      const guest = await start("guest");
      const calls = callWith(harness, "guest");
      guest.dial(bot.uri);
      await guest.waitForEvent("CALL_ESTABLISHED", 10_000);
      const call = await calls;
      const transferred = callWith(harness, "guest");

      const outcome = await call.transfer(desk.uri, "bot");
      const atDesk = await transferred;
      await call.whenEnded(5000);

      expect(outcome).toMatchObject({ result: "completed", statusCode: 200 });
      expect(transfersOf(call)).toEqual([
        "transferor requested",
        "transferor accepted 202",
        ...transfersOf(call).filter((step) => step.startsWith("transferor progress 1")),
        "transferor completed 200",
      ]);
      expect(await heardAt(atDesk)).toBe(true);
      expect(atDesk.hasEnded).toBe(false);
      await atDesk.hangUp("bot");
      await bot.close();
    },
    TIMEOUT_MS,
  );

  it(
    "our bot learns that nobody takes the call, and still has baresip on the line",
    async () => {
      const bot = await addBot(harness, ai);
      const busy = await harness.addAgent({
        party: "bot",
        user: "busy",
        local: LOCAL,
        answer: { kind: "reject", statusCode: 486 },
      });
      const guest = await start("guest");
      const calls = callWith(harness, "guest");
      guest.dial(bot.uri);
      await guest.waitForEvent("CALL_ESTABLISHED", 10_000);
      const call = await calls;

      const outcome = await call.transfer(busy.uri, "bot");

      expect(outcome).toMatchObject({ result: "failed", statusCode: 486 });
      expect(call.hasEnded).toBe(false);
      await call.hangUp("bot");
      await Promise.all([bot.close(), busy.close()]);
    },
    TIMEOUT_MS,
  );

  it(
    "baresip sends our caller to the desk, and hears from us that it got there",
    async () => {
      const caller = await harness.addAgent({ party: "caller", user: "caller", local: LOCAL });
      const answerer = await start("answerer", true);
      const call = await caller.dial(answerer.uri);
      await answerer.waitForEvent("CALL_ESTABLISHED", 10_000);

      answerer.command("transfer", desk.uri);
      const atDesk = await placedFor(harness, call);
      await atDesk.waitFor((fact) => fact.kind === "callPhase" && fact.phase === "confirmed", 5000);
      await call.whenEnded(5000);

      expect(transfersOf(call)).toEqual([
        "transferee requested",
        "transferee accepted 202",
        "transferee progress 180",
        "transferee completed 200",
      ]);
      // It hangs up once it was told 200, and not before.
      expect(call.hasEnded).toBe(true);
      const [last] = call.timeline.of("callPhase").slice(-1);
      expect(last).toMatchObject({ phase: "ended", endedBy: "remote", reason: "bye" });
      expect(notifiesOf(call)).toEqual(["100", "180", "200"]);
      expect(await heardAt(atDesk)).toBe(true);
      await atDesk.hangUp("caller");
      await caller.close();
    },
    TIMEOUT_MS,
  );
});

function transfersOf(call: WatchedCall): string[] {
  return call.timeline
    .of("transfer")
    .map(({ role, event, statusCode }) => `${role} ${event} ${statusCode ?? ""}`.trim());
}

/** The call that a transferee of ours placed. */
async function placedFor(harness: Harness, call: WatchedCall): Promise<WatchedCall> {
  const fact = await call.waitFor(
    (each) => each.kind === "transfer" && each.event === "completed",
    10_000,
  );
  const callId = fact?.kind === "transfer" ? fact.otherCallId : undefined;
  return present(
    harness.switchboard.calls.find((each) => each.callId === callId),
    "the transfer was completed",
  );
}

/** The statuses in the NOTIFYs that we sent and that were not refused. */
function notifiesOf(call: WatchedCall): string[] {
  const messages = call.timeline.of("sipMessage").filter(({ method }) => method === "NOTIFY");
  const refused = messages.filter(({ statusCode = 200 }) => statusCode >= 300);
  expect(refused).toEqual([]);
  return messages
    .filter(({ statusCode, retransmission }) => statusCode === undefined && !retransmission)
    .map(({ text }) => /SIP\/2\.0 (\d{3})[^\r\n]*\s*$/u.exec(text)?.[1] ?? "?");
}

/** Audio of the other side arrived at the desk. */
async function heardAt(call: WatchedCall): Promise<boolean> {
  const fact = await call.waitFor(
    (each) => each.kind === "rtpFlow" && each.direction === "received" && each.event === "first",
    5000,
  );
  return fact !== undefined;
}
