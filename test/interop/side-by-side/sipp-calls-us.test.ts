import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { AnswerPolicy, MessageFault } from "../../../src/index.ts";
import { openTestHarness } from "../../loopback/bench-bot.ts";
import { confirmed, directionsOf, hangUp, phasesOf, SippCalls } from "../support/sipp-calls.ts";
import { SippScenario } from "../support/sipp-dialog.ts";
import { because, missingReason } from "../support/tools.ts";

const MISSING = missingReason(["sipp"]);
const ANSWERS: { readonly answer: AnswerPolicy } = { answer: { kind: "answer", ringMs: 0 } };
const SDP = { sdp: "sendrecv" } as const;
const ENDED_BY_SIPP = "ended remote bye";

/** SIPp calls and is answered. */
function caller(headers: readonly string[] = []): SippScenario {
  return new SippScenario("caller")
    .send("INVITE", { ...SDP, headers })
    .expect(200)
    .send("ACK");
}

function asks(seconds: number, refresher: string): string[] {
  return ["Supported: timer", `Session-Expires: ${seconds};refresher=${refresher}`];
}

function offer(direction: "sendrecv" | "sendonly"): { readonly sdp: typeof direction } {
  return { sdp: direction };
}

/** Our first 200 to INVITE is lost. */
const LOST_200: MessageFault = {
  name: "lost 200",
  direction: "sent",
  method: "INVITE",
  status: 200,
  times: 1,
  effect: { kind: "drop" },
};
/** SIPp's first ACK, as if it were lost. */
const LOST_ACK: MessageFault = {
  name: "lost ACK",
  direction: "received",
  method: "ACK",
  times: 1,
  effect: { kind: "drop" },
};
/** Our answer to SIPp's BYE. */
const LOST_200_TO_BYE: MessageFault = { ...LOST_200, name: "lost 200 to BYE", method: "BYE" };

describe.skipIf(MISSING !== undefined)(`SIPp calls our bot${because(MISSING)}`, () => {
  let test: Awaited<ReturnType<typeof openTestHarness>>;
  let calls: SippCalls;

  beforeAll(async () => {
    test = await openTestHarness("sipp calls us");
    calls = new SippCalls(test.harness);
  });

  afterEach(() => calls.stop());
  afterAll(() => test.close());

  it.each(["INVITE", "UPDATE"])("holds and resumes by %s", async (method) => {
    const acknowledged = (scenario: SippScenario): SippScenario =>
      method === "INVITE" ? scenario.send("ACK") : scenario;
    const scenario = caller();
    acknowledged(
      scenario
        .send(method, offer("sendonly"))
        .expect(200, { in: "body", matches: "a=(recvonly|inactive)" }),
    );
    acknowledged(
      scenario.send(method, offer("sendrecv")).expect(200, { in: "body", matches: "a=sendrecv" }),
    );
    const call = await calls.take(scenario.send("BYE").expect(200), ANSWERS);
    expect(directionsOf(call)).toEqual(["recvonly", "sendrecv"]);
    expect(phasesOf(call)).toContain(ENDED_BY_SIPP);
  });

  it.each(["INVITE", "UPDATE"] as const)("is held and resumed by our bot's %s", async (method) => {
    const held = [
      { asked: "sendonly", answered: "recvonly" },
      { asked: "sendrecv", answered: "sendrecv" },
    ] as const;
    const scenario = caller();
    for (const { asked, answered } of held) {
      scenario.take(method, { in: "body", matches: `a=${asked}` });
      scenario.reply("200 OK", { sdp: answered });
      if (method === "INVITE") scenario.take("ACK");
    }
    const call = await calls.take(scenario.take("BYE").reply(), ANSWERS, async (up) => {
      await confirmed(up, "bot");
      await up.changeMedia({ direction: "sendonly", method }, "bot");
      await up.changeMedia({ direction: "sendrecv", method }, "bot");
      await up.hangUp("bot");
    });
    expect(directionsOf(call)).toEqual(["sendonly", "sendrecv"]);
    expect(phasesOf(call)).toContain("ended local bye");
  });

  it("acknowledges our reliable 180 and 183 by PRACK, updates the early dialog, and is answered", async () => {
    const scenario = new SippScenario("caller")
      .send("INVITE", { ...SDP, headers: ["Require: 100rel"] })
      .expect(180, { in: "RSeq", matches: "[0-9]+" })
      .send("PRACK", { headers: ["RAck: [$check0] 1 INVITE"] })
      .expect(200)
      .expect(183, { in: "RSeq", matches: "[0-9]+" }, { in: "body", matches: "m=audio" })
      .send("PRACK", { headers: ["RAck: [$check1] 1 INVITE"] })
      .expect(200)
      .send("UPDATE", offer("sendrecv"))
      .expect(200, { in: "body", matches: "m=audio" })
      .expect(200, { in: "CSeq", matches: "1 INVITE" })
      .send("ACK")
      .send("BYE")
      .expect(200);
    const answer: AnswerPolicy = { kind: "answer", ringMs: 400, earlyMedia: "silence" };
    const call = await calls.take(scenario, { answer });
    expect(phasesOf(call)).toEqual(expect.arrayContaining(["earlyMedia 183", "confirmed"]));
    expect(call.timeline.of("fault")).toEqual([]);
  });

  describe("with a session timer", () => {
    const timed: { readonly answer: AnswerPolicy } = {
      answer: {
        kind: "answer",
        ringMs: 0,
        dialog: { sessionTimer: { minIntervalS: 2 } },
      },
    };
    it("is refreshed by our bot, which it made the refresher", async () => {
      const scenario = new SippScenario("caller")
        .send("INVITE", { ...SDP, headers: asks(2, "uas") })
        .expect(200, { in: "Session-Expires", matches: "2;refresher=uas" })
        .send("ACK")
        .take("UPDATE", { in: "Session-Expires", matches: "2;refresher=uac" })
        .reply("200 OK", { headers: ["Require: timer", "Session-Expires: 2;refresher=uac"] })
        .send("BYE")
        .expect(200);
      const call = await calls.take(scenario, timed);
      expect(call.timeline.of("sessionTimer").map(({ refresher }) => refresher)).toEqual([
        "local",
        "local",
      ]);
    });

    it("refreshes it by re-INVITE, and raises an interval that was too small", async () => {
      const scenario = new SippScenario("caller")
        .send("INVITE", { ...SDP, headers: asks(1, "uac") })
        .expect(422, { in: "Min-SE", matches: "2" })
        .acknowledgeRefusal()
        .send("INVITE", { ...SDP, headers: asks(2, "uac") })
        .expect(200, { in: "Session-Expires", matches: "2;refresher=uac" })
        .send("ACK")
        .pause(800)
        .send("INVITE", { ...SDP, headers: asks(2, "uac") })
        .expect(200, { in: "Session-Expires", matches: "2;refresher=uac" })
        .send("ACK")
        .pause(800)
        .send("BYE")
        .expect(200);
      const call = await calls.take(scenario, timed);
      expect(phasesOf(call)).toContain(ENDED_BY_SIPP);
    });

    it("stops refreshing: our bot hangs up with a Reason", async () => {
      const scenario = new SippScenario("caller")
        .send("INVITE", { ...SDP, headers: asks(3, "uac") })
        .expect(200)
        .send("ACK")
        .take("BYE", { in: "Reason", matches: "cause=408" })
        .reply();
      const call = await calls.take(scenario, timed);
      expect(phasesOf(call)).toContain("ended network sessionExpired");
      expect(call.timeline.of("fault").map(({ code }) => code)).toEqual(["ERR_SESSION_EXPIRED"]);
    });
  });

  it("is sent elsewhere by our bot with 302", async () => {
    const contact = "sip:desk@127.0.0.1:9";
    const scenario = new SippScenario("caller")
      .send("INVITE", SDP)
      .expect(302, { in: "Contact", matches: contact })
      .acknowledgeRefusal();
    const call = await calls.take(scenario, { answer: { kind: "redirect", contacts: [contact] } });
    expect(phasesOf(call)).toContain("ended local rejected 302");
  });

  it.each(["auth", "auth-int"] as const)("answers our bot's challenge (%s)", async (qop) => {
    const credentials = "[authentication username=alice password=s3cret-of-the-test]";
    const scenario = new SippScenario("caller")
      .send("INVITE", SDP)
      .expect(401)
      .acknowledgeRefusal()
      .send("INVITE", { ...SDP, headers: [credentials] })
      .expect(200)
      .send("ACK")
      .send("BYE")
      .expect(200);
    const call = await calls.take(scenario, {
      ...ANSWERS,
      demand: {
        realm: "sipp.test",
        users: [{ user: "alice", password: "s3cret-of-the-test" }],
        algorithms: ["MD5"],
        qop: [qop],
      },
    });
    expect(phasesOf(call)).toEqual(expect.arrayContaining(["confirmed", ENDED_BY_SIPP]));
  });

  it.each([LOST_200, LOST_ACK, LOST_200_TO_BYE])("loses nothing by a $name", async (fault) => {
    const scenario = caller().pause(1200).send("BYE").expect(200);
    const answer: AnswerPolicy = { kind: "answer", ringMs: 0, faults: [fault] };
    const call = await calls.take(scenario, { answer });
    expect(phasesOf(call)).toEqual(expect.arrayContaining(["confirmed", ENDED_BY_SIPP]));
    expect(call.timeline.of("sipFault").map(({ name }) => name)).toEqual([fault.name]);
    expect(phasesOf(call).filter((phase) => phase.startsWith("ended"))).toHaveLength(1);
  });

  it("gives up before it is answered: CANCEL gets 200, the INVITE 487", async () => {
    const scenario = new SippScenario("caller")
      .send("INVITE", SDP)
      .expect(180)
      .cancel()
      .expect(200)
      .expect(487)
      .acknowledgeRefusal();
    const call = await calls.take(scenario, { answer: { kind: "ringForever" } });
    expect(phasesOf(call)).toContain("ended remote cancel 487");
  });

  it("gets our bot's BYE, and hears no more", async () => {
    const call = await calls.take(caller().take("BYE").reply(), ANSWERS, hangUp("bot"));
    expect(phasesOf(call)).toContain("ended local bye");
  });
});
