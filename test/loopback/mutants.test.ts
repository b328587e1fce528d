import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  expectAnswer,
  expectAnswered,
  expectDigits,
  expectGreeting,
  expectHangUpByBot,
  expectHeard,
  expectKeepsQuiet,
  expectKeepsSpeaking,
  expectRejected,
  expectStop,
  expectToolCall,
  expectUnanswered,
  type Harness,
  type RemoteAgent,
  type Speech,
  type TurnDetection,
  type WatchedCall,
} from "../../src/index.ts";
import { addBot, codeOf, LOCAL, openTestHarness } from "./bench-bot.ts";

const SCRIPTS = join(import.meta.dirname, "scripts");

/** The stubborn bot is one that was told not to stop when it is interrupted. */
const TURN_DETECTION: Readonly<Record<string, TurnDetection>> = {
  slow: { type: "semantic_vad" },
  stubborn: { type: "server_vad", interruptResponse: false },
  jumpy: { type: "semantic_vad" },
};

describe.concurrent("every expectation fails for a bot that is broken in its respect", () => {
  let opened: Awaited<ReturnType<typeof openTestHarness>>;
  let harness: Harness;
  let caller: RemoteAgent;
  const bots = new Map<string, RemoteAgent>();

  beforeAll(async () => {
    opened = await openTestHarness("mutants");
    ({ harness } = opened);
    caller = await harness.addAgent({ party: "caller", user: "caller", local: LOCAL });
    for (const name of ["slow", "stubborn", "jumpy"]) {
      // oxlint-disable-next-line no-await-in-loop -- two cores: one thread after the other.
      const ai = await harness.startEmbeddedAi({ scriptPath: join(SCRIPTS, `${name}.yaml`) });
      // oxlint-disable-next-line no-await-in-loop -- as above.
      bots.set(
        name,
        await addBot(harness, ai, {
          turnDetection: TURN_DETECTION[name] ?? { type: "semantic_vad" },
        }),
      );
    }
  });

  afterAll(() => opened.close());

  async function callTo(bot: string): Promise<WatchedCall> {
    const call = await caller.dial(bots.get(bot)?.uri ?? "");
    await expectAnswered(call, 5000);
    return call;
  }

  async function callAndSay(bot: string, ...speeches: readonly Speech[]): Promise<WatchedCall> {
    const call = await callTo(bot);
    for (const speech of speeches) {
      // oxlint-disable-next-line no-await-in-loop -- one utterance follows the other.
      await harness.spoken(call, await harness.say(call, speech), 20_000);
    }
    return call;
  }

  const tellMe = { phrase: "Tell me about the hotel." };
  const into = { kind: "intoHeardSpeech", delayMs: 1500 } as const;

  it("too slow an answer", async () => {
    const call = await callAndSay("slow", { phrase: "What time is breakfast?" });
    const failure = expectAnswer(call, 1000);
    await expect(failure).rejects.toMatchObject({ code: "ERR_ABOVE_LIMIT", fault: "expectation" });
    await expect(failure).rejects.toThrow(
      /response latency: expected ≤ 1,000 ms, heard \d,\d{3} ms at 00:\d\d\.\d{3} in the recording \(calls\/\d{3}\/audio\.wav\)/u,
    );
    await call.hangUp();
  });

  it("a greeting that does not come", async () => {
    const call = await callTo("slow");
    expect(await codeOf(expectGreeting(call, 500))).toBe("ERR_NOTHING_HEARD");
    await call.hangUp();
  });

  it("the wrong words", async () => {
    const call = await callAndSay("stubborn", { phrase: "What time is breakfast?" });
    const failure = expectHeard(call, "breakfast", harness.voices);
    await expect(failure).rejects.toMatchObject({ code: "ERR_PHRASE_NOT_HEARD" });
    await expect(failure).rejects.toThrow(/heard "goodbye" at 00:/u);
    await call.hangUp();
  });

  it("a bot that talks on when it is interrupted", async () => {
    const interruption: Speech = {
      phrase: "Excuse me, may I ask something?",
      purpose: "interruption",
      start: into,
    };
    const call = await callAndSay("stubborn", tellMe, interruption);
    expect(await codeOf(expectStop(call, 1200))).toBe("ERR_DID_NOT_YIELD");
    await call.hangUp();
  });

  it("a bot that stops at a backchannel", async () => {
    const backchannel: Speech = { phrase: "Mm-hmm.", purpose: "backchannel", start: into };
    const call = await callAndSay("jumpy", tellMe, backchannel);
    expect(await codeOf(expectKeepsSpeaking(call))).toBe("ERR_FALSE_STOP");
    await call.hangUp();
  });

  it("a bot that takes words for its own which are for somebody else", async () => {
    const phrase = "Tell me about the hotel.";
    const aside: Speech = { phrase, purpose: "sideSpeech", start: into };
    const stopped = await callAndSay("jumpy", tellMe, aside);
    expect(await codeOf(expectKeepsSpeaking(stopped))).toBe("ERR_FALSE_STOP");
    await stopped.hangUp();
    const answered = await callAndSay("jumpy", { phrase, purpose: "sideSpeech" });
    expect(await codeOf(expectKeepsQuiet(answered))).toBe("ERR_FALSE_ANSWER");
    await answered.hangUp();
  });

  it("the wrong digits, and the wrong arguments", async () => {
    const call = await callAndSay("stubborn", { phrase: "Dial four two." });
    const wrong = { name: "send_dtmf", arguments: { digits: "42" }, limitMs: 6000 };
    expect(await codeOf(expectToolCall(call, wrong))).toBe("ERR_TOOL_ARGUMENTS_DIFFER");
    expect(await codeOf(expectDigits(call, "42", 6000))).toBe("ERR_DIGITS_DIFFER");
    await call.hangUp();
  });

  it("goodbye without a BYE", async () => {
    const call = await callAndSay("stubborn", { phrase: "Please hang up." });
    const tool = { name: "hangup_call", limitMs: 1500 };
    expect(await codeOf(expectToolCall(call, tool))).toBe("ERR_TOOL_NOT_CALLED");
    expect(await codeOf(expectHangUpByBot(call, 500))).toBe("ERR_NOT_HUNG_UP");
    await call.hangUp();
  });

  it("a bot that answers although it should not, and one that does not although it should", async () => {
    const answered = await callTo("slow");
    expect(await codeOf(expectRejected(answered, 486, 3000))).toBe("ERR_NOT_REJECTED");
    expect(await codeOf(expectUnanswered(answered, 3000))).toBe("ERR_ANSWERED");
    await answered.hangUp();
    const fickle = await harness.addAgent({
      party: "bot",
      user: "fickle",
      local: LOCAL,
      answer: { kind: "ringForever" },
    });
    const ringing = await caller.dial(fickle.uri);
    expect(await codeOf(expectAnswered(ringing, 500))).toBe("ERR_NOT_ANSWERED");
    await ringing.hangUp();
    await fickle.answerWith({ kind: "reject", statusCode: 503 });
    const refused = await caller.dial(fickle.uri);
    expect(await codeOf(expectAnswered(refused, 3000))).toBe("ERR_CALL_ENDED_EARLY");
  });
});
