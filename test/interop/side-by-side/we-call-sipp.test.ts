import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openTestHarness } from "../../loopback/bench-bot.ts";
import { confirmed, directionsOf, hangUp, phasesOf, SippCalls } from "../support/sipp-calls.ts";
import { SippScenario } from "../support/sipp-dialog.ts";
import { because, missingReason } from "../support/tools.ts";

const MISSING = missingReason(["sipp"]);
const SDP = { sdp: "sendrecv" } as const;
const ENDED_BY_US = "ended local bye";

/** SIPp is called and answers. */
function called(headers: readonly string[] = []): SippScenario {
  return new SippScenario("called")
    .takeInvite()
    .respond("200 OK", { ...SDP, headers })
    .take("ACK");
}

function timer(refresher: string): string[] {
  return ["Require: timer", `Session-Expires: 3;refresher=${refresher}`];
}

describe.skipIf(MISSING !== undefined)(`our caller calls SIPp${because(MISSING)}`, () => {
  let test: Awaited<ReturnType<typeof openTestHarness>>;
  let calls: SippCalls;

  beforeAll(async () => {
    test = await openTestHarness("we call sipp");
    calls = new SippCalls(test.harness);
  });

  afterEach(() => calls.stop());
  afterAll(() => test.close());

  it("holds and resumes it by re-INVITE, and then by UPDATE", async () => {
    const scenario = called();
    for (const method of ["INVITE", "UPDATE"]) {
      scenario.take(method, { in: "body", matches: "a=sendonly" });
      scenario.reply("200 OK", { sdp: "recvonly" });
      if (method === "INVITE") scenario.take("ACK");
      scenario.take(method, { in: "body", matches: "a=sendrecv" }).reply("200 OK", SDP);
      if (method === "INVITE") scenario.take("ACK");
    }
    const call = await calls.dial(scenario.take("BYE").reply(), {}, async (up) => {
      await confirmed(up, "caller");
      for (const method of ["INVITE", "UPDATE"] as const) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other.
        await up.changeMedia({ direction: "sendonly", method });
        // oxlint-disable-next-line no-await-in-loop -- one after the other.
        await up.changeMedia({ direction: "sendrecv", method });
      }
      await up.hangUp();
    });
    expect(directionsOf(call)).toEqual(["sendonly", "sendrecv", "sendonly", "sendrecv"]);
    expect(phasesOf(call)).toContain(ENDED_BY_US);
  });

  it.each(["INVITE", "UPDATE"])("is held and resumed by its %s", async (method) => {
    const scenario = called();
    scenario.send(method, { sdp: "sendonly" }).expect(200, { in: "body", matches: "a=recvonly" });
    if (method === "INVITE") scenario.send("ACK");
    scenario.send(method, SDP).expect(200, { in: "body", matches: "a=sendrecv" });
    if (method === "INVITE") scenario.send("ACK");
    const call = await calls.dial(scenario.send("BYE").expect(200), {}, () => undefined);
    expect(directionsOf(call)).toEqual(["recvonly", "sendrecv"]);
    expect(phasesOf(call)).toContain("ended remote bye");
  });

  it("acknowledges its reliable 183 by PRACK, and takes its UPDATE before the answer", async () => {
    const scenario = new SippScenario("called")
      .takeInvite({ in: "Supported", matches: "100rel" })
      .respond("183 Session Progress", { ...SDP, headers: ["Require: 100rel", "RSeq: 7"] })
      .take("PRACK", { in: "RAck", matches: "7 [0-9]+ INVITE" })
      .reply()
      .send("UPDATE", SDP)
      .expect(200, { in: "body", matches: "m=audio" })
      .respond("200 OK", {})
      .take("ACK")
      .take("BYE")
      .reply();
    const call = await calls.dial(scenario);
    expect(phasesOf(call)).toEqual(
      expect.arrayContaining(["earlyMedia 183", "confirmed", ENDED_BY_US]),
    );
    expect(call.timeline.of("fault")).toEqual([]);
  });

  describe("with a session timer", () => {
    const settings = { dialog: { sessionTimer: { intervalS: 3, minIntervalS: 2 } } };

    it("is refreshed by SIPp, where its 200 says so", async () => {
      const scenario = called(timer("uas"))
        .send("UPDATE", { headers: ["Supported: timer", "Session-Expires: 3;refresher=uac"] })
        .expect(200, { in: "Session-Expires", matches: "3;refresher=uac" })
        .take("BYE")
        .reply();
      const call = await calls.dial(scenario, settings, async (up) => {
        await up.waitFor(() => up.timeline.of("sessionTimer").length === 2, 5000);
        await up.hangUp();
      });
      const refreshers = call.timeline.of("sessionTimer").map(({ refresher }) => refresher);
      expect(refreshers).toEqual(["remote", "remote"]);
    });

    it("hangs up with a Reason where SIPp stops refreshing", async () => {
      const scenario = called(timer("uas"))
        .take("BYE", { in: "Reason", matches: "cause=408" })
        .reply();
      const call = await calls.dial(scenario, settings, () => undefined);
      expect(phasesOf(call)).toContain("ended network sessionExpired");
    });
  });

  it("follows a 302 of SIPp to the next SIPp", async () => {
    const { sipp, uri } = await calls.called(called().take("BYE").reply());
    const scenario = new SippScenario("called")
      .takeInvite()
      .respond("302 Moved Temporarily", { headers: [`Contact: <${uri}>`] })
      .take("ACK");
    const call = await calls.dial(scenario, { dialog: { redirects: "follow" } });
    expect(await sipp.finish(5000)).toMatchObject({ successful: 1, failed: 0 });
    expect(phasesOf(call)).toEqual(
      expect.arrayContaining(["redirected 302", "confirmed", ENDED_BY_US]),
    );
  });

  it("reports a 302 where it is not to follow", async () => {
    const scenario = new SippScenario("called")
      .takeInvite()
      .respond("302 Moved Temporarily", { headers: ["Contact: <sip:desk@127.0.0.1:9>"] })
      .take("ACK");
    const call = await calls.dial(scenario, {}, () => undefined);
    expect(phasesOf(call).at(-1)).toBe("ended remote rejected 302");
  });

  it.each([
    ["401 Unauthorized", "WWW-Authenticate", "auth"],
    ["407 Proxy Authentication Required", "Proxy-Authenticate", "auth"],
    ["401 Unauthorized", "WWW-Authenticate", "auth-int"],
  ])("answers its %s, %s, %s", async (status, header, qop) => {
    const challenge = `Digest realm="sipp.test", nonce="47364c23432d2e131a5fb210812c", algorithm=MD5, qop="${qop}"`;
    const scenario = new SippScenario("called")
      .takeInvite()
      .respond(status, { headers: [`${header}: ${challenge}`] })
      .take("ACK");
    // SIPp checks an Authorization itself, and knows no Proxy-Authorization.
    if (header === "WWW-Authenticate") scenario.takeInviteOf("alice", "s3cret-of-the-test");
    else scenario.takeInvite({ in: "Proxy-Authorization", matches: "username=.alice.*response=" });
    scenario.respond("200 OK", SDP).take("ACK").take("BYE").reply();
    const agent = await calls.agent("caller", {
      credentials: [{ user: "alice", password: "s3cret-of-the-test" }],
    });
    const call = await calls.dial(scenario, {}, hangUp("caller"), agent);
    expect(phasesOf(call)).toEqual(expect.arrayContaining(["confirmed", ENDED_BY_US]));
    const sent = call.timeline.of("sipMessage").filter(({ text }) => text.startsWith("INVITE"));
    // Either may have been sent again, where SIPp took its time.
    const numbers = sent.map(({ text }) => /^CSeq: *(\d+)/im.exec(text)?.[1]);
    expect(new Set(numbers).size).toBe(2);
  });

  it("hears several forks ring, and talks with the one that answers", async () => {
    const scenario = new SippScenario("called")
      .takeInvite()
      .respond("180 Ringing", { tag: "A" })
      .respond("183 Session Progress", { ...SDP, tag: "B" })
      .respond("180 Ringing", { tag: "C" })
      .respond("200 OK", { ...SDP, tag: "C" })
      .take("ACK", { in: "To", matches: "tag=C" })
      .take("BYE", { in: "To", matches: "tag=C" })
      .reply();
    const call = await calls.dial(scenario);
    expect(phasesOf(call)).toEqual(
      expect.arrayContaining(["ringing 180", "earlyMedia 183", "confirmed", ENDED_BY_US]),
    );
  });

  it("acknowledges a second 200 of another fork, and ends that one with BYE", async () => {
    const scenario = new SippScenario("called")
      .takeInvite()
      .respond("200 OK", { ...SDP, tag: "A" })
      .take("ACK", { in: "To", matches: "tag=A" })
      .respond("200 OK", { ...SDP, tag: "B" })
      .take("ACK", { in: "To", matches: "tag=B" })
      .take("BYE", { in: "To", matches: "tag=B" })
      .reply()
      .take("BYE", { in: "To", matches: "tag=A" })
      .reply();
    const call = await calls.dial(scenario, {}, async (up) => {
      await up.waitFor(
        (fact) => fact.kind === "sipMessage" && /^BYE [\s\S]*;tag=B/u.test(fact.text),
        5000,
      );
      await up.hangUp();
    });
    expect(phasesOf(call).filter((phase) => /^(?:confirmed|ended)/u.test(phase))).toEqual([
      "confirmed",
      ENDED_BY_US,
    ]);
  });

  it.each([
    ["lost ACK", "ACK", undefined],
    ["lost 200", "INVITE", 200],
    ["lost BYE", "BYE", undefined],
    ["lost 200 to BYE", "BYE", 200],
  ] as const)("loses nothing by a %s", async (name, method, status) => {
    const direction = status === undefined ? "sent" : "received";
    const statusCode = status === undefined ? {} : { status };
    const effect = { kind: "drop" } as const;
    const fault = { name, direction, method, times: 1, effect, ...statusCode } as const;
    // SIPp knows a BYE that comes again, and repeats its 200 while the call is there.
    const scenario = called().take("BYE").reply().pause(1200);
    const call = await calls.dial(scenario, { faults: [fault] }, async (up) => {
      await confirmed(up, "caller");
      // The 200 that SIPp repeats is acknowledged once more.
      if (name === "lost ACK") {
        await up.waitFor(
          (fact) =>
            fact.kind === "sipMessage" &&
            fact.text.startsWith("ACK") &&
            fact.retransmission === true,
          3000,
        );
      }
      await up.hangUp();
    });
    expect(call.timeline.of("sipFault").map((each) => each.name)).toEqual([name]);
    expect(phasesOf(call).filter((phase) => /^(?:confirmed|ended)/u.test(phase))).toEqual([
      "confirmed",
      ENDED_BY_US,
    ]);
  });
});
