import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  expectAnswered,
  expectDigits,
  expectGreeting,
  scriptPath,
  type WatchedCall,
} from "../../../src/index.ts";
import { CALL_FILES, type FactOf } from "../../../src/timeline/index.ts";
import { addBot, LOCAL, openTestHarness } from "../../loopback/bench-bot.ts";
import { report } from "../support/report.ts";
import { because, missingReason } from "../support/tools.ts";

const MISSING = missingReason(["tshark"]);
/** tshark's severities: 0x400000 is a note, 0x600000 a warning, 0x800000 an error. */
const WARNING = 0x60_00_00;
/** Two passes, every checksum, one line of fields for each packet. */
const OPTIONS =
  "-2 -o udp.check_checksum:TRUE -o ip.check_checksum:TRUE -T fields -E separator=/s".split(" ");

describe.skipIf(MISSING !== undefined)(`A call's capture read by tshark${because(MISSING)}`, () => {
  let test: Awaited<ReturnType<typeof openTestHarness>>;
  let call: WatchedCall;
  let file: string;

  beforeAll(async () => {
    test = await openTestHarness("call-pcap");
    call = await talk(test);
    await test.harness.leave(call);
    file = join(test.folder, "calls", call.id, CALL_FILES.pcap);
  });

  afterAll(() => test.close());

  /** One line for each packet that passes the filter, with the fields asked for. */
  function packets(filter: string, ...fields: readonly string[]): string[] {
    const output = execFileSync(
      "tshark",
      ["-r", file, ...OPTIONS, "-Y", filter, ...fields.flatMap((field) => ["-e", field])],
      { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
    );
    return output.split("\n").filter((line) => line !== "");
  }

  it("finds the SIP messages of the call, in their order", () => {
    const fields = ["sip.CSeq.method", "sip.Status-Code"];
    const seen = packets("sip", ...fields).map((line) => line.trim());
    const recorded = call.timeline.of("sipMessage").filter(({ party }) => party === "caller");

    expect(seen).toHaveLength(recorded.length);
    const wanted = ["INVITE", "INVITE 200", "ACK", "BYE", "BYE 200"];
    // A set, because a busy machine may repeat a message.
    expect([...new Set(seen.filter((message) => wanted.includes(message)))]).toEqual(wanted);
    expect(new Set(packets("sip", "sip.Call-ID"))).toEqual(new Set([call.callId]));
  });

  it("counts as many RTP packets each way as we do", () => {
    const { media, statistics } = ends(call);
    const port = (media.local.match(/:(\d+)$/u) ?? [])[1] ?? "";
    const sent = packets(`rtp && udp.srcport == ${port}`, "rtp.ssrc", "rtp.p_type");
    const received = packets(`rtp && udp.dstport == ${port}`, "rtp.ssrc", "rtp.p_type");
    const events = packets(`rtpevent && udp.dstport == ${port}`, "rtpevent.event_id");
    const udp = packets("udp && !sip && !rtcp", "frame.number");

    report("tshark counts", {
      sent: sent.length,
      received: received.length,
      digitPackets: events.length,
      packetsSent: statistics.packetsSent,
      packetsReceived: statistics.packetsReceived,
    });
    expect(sent.length).toBeGreaterThan(100);
    expect(sent).toHaveLength(statistics.packetsSent);
    expect(received).toHaveLength(statistics.packetsReceived);
    expect(udp).toHaveLength(sent.length + received.length);
    // Event 4 and event 2: dialled by the bot's tool (RFC 4733 §3.2).
    expect([...new Set(events)]).toEqual(["4", "2"]);
    expect(new Set(sent)).toEqual(new Set([`0x${media.ssrc.toString(16).padStart(8, "0")} 0`]));
  });

  it("has no malformed packet, no warning and no wrong checksum", () => {
    const checksums = "ip.checksum.status == 0 || udp.checksum.status == 0";
    expect(packets(`_ws.malformed || ${checksums}`, "frame.number")).toEqual([]);
    expect(packets(`_ws.expert.severity >= ${WARNING}`, "_ws.expert.message")).toEqual([]);
  });
});

/** A call as in the demonstration: a greeting, a wish, its effect on the wire, and the end. */
async function talk({
  harness,
}: Awaited<ReturnType<typeof openTestHarness>>): Promise<WatchedCall> {
  const ai = await harness.startEmbeddedAi({ scriptPath: scriptPath("reception") });
  const bot = await addBot(harness, ai, { greets: true });
  const caller = await harness.addAgent({ party: "caller", user: "caller", local: LOCAL });
  const call = await caller.dial(bot.uri);
  await expectAnswered(call, 5000);
  await expectGreeting(call, 5000);
  await harness.heardToEnd(call, 15_000);
  await harness.say(call, { phrase: "Dial four two." });
  await expectDigits(call, "42", 20_000);
  await call.hangUp();
  await call.whenEnded(10_000);
  return call;
}

/** The caller's media: what was agreed on, and what was counted. */
function ends({ timeline }: WatchedCall): {
  readonly media: FactOf<"mediaStarted">;
  readonly statistics: FactOf<"mediaStatistics">;
} {
  const media = timeline.of("mediaStarted").find(({ party }) => party === "caller");
  const statistics = timeline.of("mediaStatistics").find(({ party }) => party === "caller");
  if (media === undefined || statistics === undefined) throw new Error("The call had no media.");
  return { media, statistics };
}
