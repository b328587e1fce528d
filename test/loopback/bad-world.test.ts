import { createSocket } from "node:dgram";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type EmbeddedAi,
  expectAnswered,
  type Harness,
  type RemoteAgent,
  scriptPath,
  type WatchedCall,
} from "../../src/index.ts";
import { compiledModule, startProcess } from "../../src/platform/index.ts";
import { addBot, codeOf, LOCAL, openTestHarness } from "./bench-bot.ts";

const NO_SUCH_HOST = "no-such-host.invalid";

describe("what may go wrong ends in a named error, and no call is left", () => {
  let opened: Awaited<ReturnType<typeof openTestHarness>>;
  let harness: Harness;
  let ai: EmbeddedAi;
  let bot: RemoteAgent;
  let caller: RemoteAgent;

  beforeAll(async () => {
    opened = await openTestHarness("bad-world", { allow: [NO_SUCH_HOST] });
    ({ harness } = opened);
    ai = await harness.startEmbeddedAi({ scriptPath: scriptPath("reception") });
    bot = await addBot(harness, ai, { stallTimeoutMs: 1000 });
    caller = await harness.addAgent({
      party: "caller",
      user: "caller",
      local: LOCAL,
      silentPeerLimitMs: 1000,
    });
  });

  afterAll(() => opened.close());

  async function askInNewCall(): Promise<WatchedCall> {
    const call = await caller.dial(bot.uri);
    await expectAnswered(call, 5000);
    await harness.say(call, { phrase: "What time is breakfast?" });
    return call;
  }

  it("a target that is no SIP URI", async () => {
    expect(await codeOf(caller.dial("not a uri"))).toBe("ERR_TARGET_MALFORMED");
  });

  it("a target whose host has no address", async () => {
    const call = await caller.dial(`sip:bot@${NO_SUCH_HOST}`);
    expect(await endOf(call)).toMatchObject({ reason: "unreachable", endedBy: "network" });
    expect(faultsOf(call)).toContain("ERR_HOST_UNRESOLVED");
  });

  it("a target that nobody permitted", async () => {
    const code = await codeOf(caller.dial("sip:bot@forbidden.invalid"));
    expect(code).toBe("ERR_TARGET_NOT_ALLOWED");
  });

  it("a user that is not there, and a bot that is busy", async () => {
    await bot.answerWith({ kind: "reject", statusCode: 404 });
    const unknown = await caller.dial(bot.uri);
    expect(await endOf(unknown)).toMatchObject({ reason: "rejected", statusCode: 404 });
    await bot.answerWith({ kind: "reject", statusCode: 486 });
    const busy = await caller.dial(bot.uri);
    expect(await endOf(busy)).toMatchObject({ reason: "rejected", statusCode: 486 });
    await bot.answerWith({ kind: "answer", ringMs: 0 });
  });

  it("a phrase that is no fixture", async () => {
    const call = await caller.dial(bot.uri);
    await expectAnswered(call, 5000);
    const failure = harness.say(call, { phrase: "What is the weather like?" });
    await expect(failure).rejects.toMatchObject({ code: "ERR_FIXTURE_MISSING" });
    await call.hangUp();
    expect(await codeOf(call.say({} as never))).toBe("ERR_NOT_IN_CALL");
  });

  it("a script that is wrong, with file and line", async () => {
    const path = join(opened.folder, "wrong.yaml");
    await writeFile(path, "name: x\nturns:\n  - hear: hello\notherwise: not-understood\n");
    const failure = harness.startEmbeddedAi({ scriptPath: path });
    await expect(failure).rejects.toMatchObject({ code: "ERR_SCRIPT_MALFORMED" });
    await expect(failure).rejects.toThrow(/wrong\.yaml is not a script:[\s\S]*line 3: /u);
  });

  it("a port that is in use", async () => {
    const socket = createSocket("udp4").bind(0, "127.0.0.1");
    await once(socket, "listening");
    const local = { address: "127.0.0.1", port: socket.address().port };
    const failure = harness.addAgent({ party: "caller", user: "second", local });
    expect(await codeOf(failure)).toBe("ERR_PORT_IN_USE");
    socket.close();
  });

  it("an AI that refuses the connection, and one that refuses the key", async () => {
    await ai.configure({ faults: { refuseConnection: true } });
    const refused = await caller.dial(bot.uri);
    expect(await endOf(refused)).toMatchObject({ reason: "rejected", statusCode: 503 });
    expect(faultsOf(refused)).toContain("ERR_AI_UNREACHABLE");
    await ai.configure({ faults: { unauthorized: true } });
    const unauthorized = await caller.dial(bot.uri);
    expect(await endOf(unauthorized)).toMatchObject({ reason: "rejected", statusCode: 503 });
    expect(faultsOf(unauthorized)).toContain("ERR_AI_UNAUTHORIZED");
    expect(JSON.stringify(unauthorized.timeline.facts)).not.toContain(ai.apiKey);
    await ai.configure({ faults: {} });
  });

  it("an AI that closes the connection in the call", async () => {
    await ai.configure({ faults: { closeOnTurn: { turn: 1, code: 1011 } } });
    const call = await askInNewCall();
    expect(await endOf(call)).toMatchObject({ reason: "bye", endedBy: "remote" });
    expect(faultsOf(call)).toContain("ERR_AI_CLOSED");
    await ai.configure({ faults: {} });
  });

  it("an AI that falls silent in the call", async () => {
    await ai.configure({ faults: { stallOnTurn: 1 } });
    const call = await askInNewCall();
    expect(await endOf(call, 15_000)).toMatchObject({ reason: "bye", endedBy: "remote" });
    expect(faultsOf(call)).toContain("ERR_AI_STALLED");
    await ai.configure({ faults: {} });
  });

  it("a peer that vanishes in the call", async () => {
    const process = startProcess(compiledModule("bench/agent-process.js"));
    const doomed = await harness.switchboard.addAgent(process, {
      party: "bot",
      user: "doomed",
      local: LOCAL,
      answer: { kind: "answer", ringMs: 0 },
    });
    const call = await caller.dial(doomed.uri);
    await expectAnswered(call, 5000);
    await call.waitFor((fact) => fact.kind === "rtpFlow" && fact.party === "caller", 5000);
    await process.terminate();
    const ended = await call.waitFor(
      (fact) => fact.kind === "callPhase" && fact.phase === "ended",
      10_000,
    );
    expect(ended).toMatchObject({ reason: "rtpTimeout", endedBy: "network" });
    // The host says that the port is closed; without that word it would be ERR_RTP_TIMEOUT.
    expect(faultsOf(call)).toContain("ERR_RTP_UNREACHABLE");
  });
});

async function endOf(call: WatchedCall, limitMs = 10_000): Promise<Record<string, unknown>> {
  expect(await call.whenEnded(limitMs)).toBe(true);
  const end = call.timeline
    .of("callPhase")
    .findLast(({ phase, party }) => phase === "ended" && party === "caller");
  const { reason, endedBy, statusCode } = end ?? {};
  return { reason, endedBy, statusCode };
}

function faultsOf(call: WatchedCall): readonly string[] {
  return call.timeline.of("fault").map(({ code }) => code);
}
