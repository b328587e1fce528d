import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { type CliProcess, startCli } from "../loopback/cli-process.ts";
import { Sipp } from "./support/sipp.ts";
import { because, missingReason } from "./support/tools.ts";

const MISSING = missingReason(["sipp"]);
const ADDRESS = "127.0.0.1";
const CALLER_PORT = 15_260;
const ANSWERER_PORT = 15_270;
const RELAY_PORT = 15_280;
const CALLS = 10;

describe.skipIf(MISSING !== undefined)(`The relay between two SIPps${because(MISSING)}`, () => {
  const open: (CliProcess | Sipp)[] = [];

  afterEach(async () => {
    for (const each of open) {
      if (each instanceof Sipp) await each.stop();
      else each.child.kill("SIGINT");
    }
  });

  it("loses a tenth of their messages each way, and all calls succeed", async () => {
    const figures = "loss=10%,delay=5ms";
    const ports = `${RELAY_PORT}=${ADDRESS}:${ANSWERER_PORT}`;
    // Which packets are lost is the same every time: by chance SIPp itself gives a call up.
    const lost = ["--out", figures, "--back", figures, "--seed", "4"];
    const relay = startCli(["relay", ports, ...lost, "--json"]);
    open.push(relay);
    await relay.said("Ctrl-C ends it");
    const common = { address: ADDRESS, calls: CALLS };
    open.push(await Sipp.startAnswerer({ ...common, port: ANSWERER_PORT }));
    const caller = await Sipp.startCaller({
      ...common,
      port: CALLER_PORT,
      target: `${ADDRESS}:${RELAY_PORT}`,
      callsPerSecond: 10,
      holdMs: 200,
    });
    open.push(caller);
    const statistics = await caller.finish(60_000);
    relay.child.kill("SIGINT");
    await once(relay.child, "close");
    const counts = JSON.parse(relay.output().trim().split("\n").at(-1) ?? "") as {
      readonly sent: { readonly lost: number; readonly offered: number };
      readonly received: { readonly lost: number };
    };
    expect(statistics).toMatchObject({ successful: CALLS, failed: 0 });
    expect(counts.sent.offered).toBeGreaterThanOrEqual(3 * CALLS);
    expect(counts.sent.lost + counts.received.lost).toBeGreaterThan(0);
    expect(statistics.retransmissions).toBeGreaterThan(0);
  });
});
