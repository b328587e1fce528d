import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createEnvironment } from "../../src/platform/index.ts";
import { type CallEndedEvent, type InboundCall, SipEndpoint } from "../../src/sip/index.ts";
import { FakeNegotiator } from "../unit/sip/sip-lab.ts";

const CHILD = join(import.meta.dirname, "ways-out-child.mjs");
/** A BYE is there within milliseconds; a peer that got none would wait for ever. */
const END_LIMIT_MS = 5000;

let peer: SipEndpoint;
let folder: string;
let answers = true;
const calls: InboundCall[] = [];
const ends = new Map<string, CallEndedEvent>();
let children: ChildProcess[] = [];

beforeAll(async () => {
  peer = await SipEndpoint.open({
    ...createEnvironment({ seed: "peer" }),
    local: { address: "127.0.0.1", port: 0 },
    user: "peer",
    userAgent: "Sidetone-Test",
  });
  peer.onInvite = (call) => {
    calls.push(call);
    call.onEvent = (event) => {
      if (event.type === "ended") ends.set(call.callId, event);
    };
    if (answers) call.answer(new AnsweringNegotiator());
    else call.ring();
  };
});

afterAll(() => peer.close());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sidetone-ways-out-"));
  answers = true;
});

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  children = [];
  await rm(folder, { recursive: true, force: true });
});

/** A description that the caller's media accept. */
class AnsweringNegotiator extends FakeNegotiator {
  override acceptOffer(): string {
    return [
      "v=0",
      "o=- 1 1 IN IP4 127.0.0.1",
      "s=-",
      "c=IN IP4 127.0.0.1",
      "t=0 0",
      "m=audio 9 RTP/AVP 0",
      "",
    ].join("\r\n");
  }
}

/** A process with one call to our peer. */
async function processInCall(state: "up" | "ringing" = "up") {
  answers = state === "up";
  const report = join(folder, "run");
  const child = spawn(process.execPath, [CHILD, peer.uri, report, state], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  children.push(child);
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const exited = once(child, "exit");
  await Promise.race([once(child.stdout, "data"), exited]);
  const { callId } = calls.at(-1) as InboundCall;
  return {
    child,
    callId,
    errors: () => errors,
    leave: async (way: string) => {
      if (way.startsWith("SIG")) child.kill(way as NodeJS.Signals);
      else child.stdin.write(`${way}\n`);
      await exited;
    },
  };
}

/** How the peer's end of the call ended, within the limit. */
async function endOf(callId: string): Promise<CallEndedEvent | undefined> {
  for (let waitedMs = 0; waitedMs < END_LIMIT_MS && !ends.has(callId); waitedMs += 20) {
    // oxlint-disable-next-line no-await-in-loop -- polled, because it may never come.
    await new Promise((resolve) => void globalThis.setTimeout(resolve, 20));
  }
  return ends.get(callId);
}

async function journals(): Promise<readonly string[]> {
  return readdir(join(folder, "live-calls")).catch(() => []);
}

describe("a process with a call", () => {
  it.each(["SIGINT", "SIGTERM", "SIGHUP", "exit", "throw", "reject", "close"])(
    "hangs up before it is gone by %s, and leaves no journal",
    async (way) => {
      const running = await processInCall();
      expect(await journals()).toHaveLength(1);
      await running.leave(way);
      expect(await endOf(running.callId)).toMatchObject({ endedBy: "remote", reason: "bye" });
      expect(await journals()).toEqual([]);
    },
  );

  it.each(["SIGTERM", "exit", "throw"])("cancels a call that still rings on %s", async (way) => {
    const running = await processInCall("ringing");
    await running.leave(way);
    expect(await endOf(running.callId)).toMatchObject({ endedBy: "remote", reason: "cancel" });
  });

  it("cannot hang up when it is killed; the next run says what it left, once", async () => {
    const killed = await processInCall();
    const { callId } = killed;
    await killed.leave("SIGKILL");
    expect(ends.has(callId)).toBe(false);

    const next = await processInCall();
    await next.leave("close");
    expect(next.errors()).toContain("killed before it could hang up 1 call");
    expect(next.errors()).toContain(`Call-ID ${callId} (tags `);
    expect(next.errors()).toContain(`to 127.0.0.1:${peer.local.port}`);

    const third = await processInCall();
    await third.leave("close");
    expect(third.errors()).toBe("");
  });

  it("leaves the journal of a run alone that is still under way", async () => {
    const first = await processInCall();
    const second = await processInCall();
    expect(second.errors()).toBe("");
    expect(await journals()).toHaveLength(2);
    await first.leave("close");
    await second.leave("close");
    expect(await journals()).toEqual([]);
  });
});
