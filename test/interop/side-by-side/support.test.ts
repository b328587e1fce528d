import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { decodeWav, levelDbov, tone } from "../../../src/audio/index.ts";
import { Baresip, type BaresipOptions } from "../support/baresip.ts";
import { NamespacePair } from "../support/namespaces.ts";
import { LoggedProcess, runProcess } from "../support/processes.ts";
import { parseSippStatistics, Sipp } from "../support/sipp.ts";
import { because, missingReason } from "../support/tools.ts";

// The foreign instruments are tried against each other before they judge our own code.

const closers: (() => Promise<unknown> | void)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

describe("LoggedProcess", () => {
  it("captures output and waits for a line of it", async () => {
    const cat = LoggedProcess.start({ program: "cat", args: [] });
    closers.push(() => cat.stop());

    cat.write("the answer is 42\n");

    expect((await cat.waitForOutput(/answer is (\d+)/, 5000))[1]).toBe("42");
  });

  it("says what was awaited and what was seen when a program ends too soon", async () => {
    const shell = LoggedProcess.start({ program: "sh", args: ["-c", "echo gone; exit 7"] });

    await expect(shell.waitForOutput(/never/, 5000)).rejects.toThrow(/never[\s\S]*7[\s\S]*gone/);
  });

  it("stops what its program has started as well", async () => {
    const shell = LoggedProcess.start({ program: "sh", args: ["-c", "sleep 300 & echo up; wait"] });
    await shell.waitForOutput(/up/, 5000);

    // It resolves when the last holder of its output, the sleep, has let go of it.
    await expect(shell.stop()).resolves.toMatchObject({ signal: "SIGTERM" });
  });

  it("reports a program that does not exist", async () => {
    const nothing = LoggedProcess.start({ program: "no-such-program", args: [] });

    await expect(nothing.waitForOutput(/x/, 5000)).rejects.toThrow(/ENOENT/);
  });
});

const noNamespaces = missingReason(["ip", "nft"], { root: true });

describe.skipIf(noNamespaces !== undefined)(`NamespacePair${because(noNamespaces)}`, () => {
  it("joins two networks, loses what it is told to, and leaves nothing behind", async () => {
    const pair = await NamespacePair.open();
    closers.push(() => pair.close());
    await pair.setLoss(0.1);

    await sendDatagrams(pair, 5000);

    const { passed, dropped } = await pair.lossCounts(pair.right);
    expect(passed + dropped).toBe(5000);
    // Six standard deviations of the binomial distribution: 6·√(5000·0.1·0.9) ≈ 127.
    expect(Math.abs(dropped - 500)).toBeLessThan(130);
    pair.close();
    expect(await runProcess({ program: "ip", args: ["netns", "list"] })).not.toContain(
      pair.left.name,
    );
  });

  it("removes the namespaces of a process that was killed", async () => {
    const { pid } = LoggedProcess.start({ program: "true", args: [] });
    const abandoned = `sidetone-${pid}-1-left`;
    await runProcess({ program: "ip", args: ["netns", "add", abandoned] });

    const pair = await NamespacePair.open();
    closers.push(() => pair.close());

    const names = await runProcess({ program: "ip", args: ["netns", "list"] });
    expect(names).toContain(pair.left.name);
    expect(names).not.toContain(abandoned);
  });
});

const noSipp = missingReason(["sipp", "ip", "nft"], { root: true });

describe.skipIf(noSipp !== undefined)(`Sipp${because(noSipp)}`, () => {
  it("completes calls over a lossy line, with retransmissions", async () => {
    const pair = await NamespacePair.open();
    closers.push(() => pair.close());
    await pair.setLoss(0.1);
    const calls = 20;
    // It runs until stopped: with losses it may see fewer calls end than the caller does.
    const answerer = await Sipp.startAnswerer({
      address: pair.right.address,
      port: 5060,
      calls: 2 * calls,
      namespace: pair.right,
    });
    closers.push(() => answerer.stop());
    const caller = await Sipp.startCaller({
      target: `${pair.right.address}:5060`,
      address: pair.left.address,
      port: 5060,
      calls,
      callsPerSecond: 25,
      holdMs: 200,
      extraArgs: ["-max_retrans", "5"],
      namespace: pair.left,
    });
    closers.push(() => caller.stop());

    const statistics = await caller.finish(90_000);

    expect(statistics.created).toBe(calls);
    expect(statistics.successful + statistics.failed).toBe(calls);
    // SIPp's own answerer aborts a call of which 180 and 200 are both lost.
    expect(statistics.successful).toBeGreaterThanOrEqual(calls - 3);
    expect(statistics.retransmissions).toBeGreaterThan(0);
  });

  it("names the missing column when the statistics are not SIPp's", () => {
    expect(() => parseSippStatistics("a;b;\n1;2;\n")).toThrow(/TotalCallCreated/);
  });
});

const noBaresip = missingReason(["baresip"]);

describe.skipIf(noBaresip !== undefined)(`Baresip${because(noBaresip)}`, () => {
  it("calls another, hears what that one says, and presses keys", async () => {
    const bob = await baresip({ user: "bob", sipPort: 25_070, controlPort: 25_061, answers: true });
    const ann = await baresip({
      user: "ann",
      sipPort: 25_080,
      controlPort: 25_062,
      answers: false,
    });

    ann.dial(bob.uri);
    await ann.waitForEvent("CALL_ESTABLISHED", 5000);
    await bob.waitForEvent("CALL_RTPESTAB", 5000);
    ann.press("4");
    const key = await bob.waitForEvent("CALL_DTMF_START", 5000);
    await delay(1000);
    ann.hangUp();
    await bob.waitForEvent("CALL_CLOSED", 5000);

    expect(key.param).toBe("4");
    for (const listener of [ann, bob]) {
      const [heard] = await listener.heard();
      const { sampleRateHz, channels } = decodeWav(heard ?? new Uint8Array());
      const [samples = new Int16Array()] = channels;
      expect(sampleRateHz).toBe(8000);
      expect(levelDbov(samples.subarray(4000, 8000))).toBeGreaterThan(-20);
    }
  });

  it("says that its port is taken", async () => {
    const options = { user: "bob", sipPort: 25_070, controlPort: 25_061, answers: true };
    await baresip(options);

    await expect(baresip(options)).rejects.toThrow(/already in use/);
  });
});

async function baresip(
  options: Pick<BaresipOptions, "user" | "sipPort" | "controlPort" | "answers">,
): Promise<Baresip> {
  const speech = tone({ sampleRateHz: 8000, frequencyHz: 440, durationMs: 3000, levelDbov: -12 });
  const started = await Baresip.start({ ...options, address: "127.0.0.1", speech });
  closers.push(() => started.stop());
  return started;
}

/** Sends numbered datagrams from left to right, slowly enough that no queue overflows. */
async function sendDatagrams(pair: NamespacePair, count: number): Promise<void> {
  const script = `
    const socket = require("node:dgram").createSocket("udp4");
    (async () => {
      for (let sent = 0; sent < ${count}; sent += 1) {
        await new Promise((resolve) => socket.send("x", 9, "${pair.right.address}", resolve));
      }
      socket.close();
    })();`;
  await runProcess({ program: process.execPath, args: ["-e", script], namespace: pair.left });
}
