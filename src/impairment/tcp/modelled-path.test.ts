import { describe, expect, it } from "vitest";
import {
  type ConnectOptions,
  type MessageSocket,
  type SocketAddress,
  type StreamConnection,
  seededRandom,
} from "../../environment/index.ts";
import { ManualClock, VirtualNetwork } from "../../testing/index.ts";
import type { AiNetwork, AiPath, AiStall } from "../ai-path.ts";
import { openModelledPath } from "./modelled-path.ts";

const HOST: SocketAddress = { address: "192.0.2.1", port: 443 };

/** Says where WebSockets would connect to. */
class NotedNetwork extends VirtualNetwork {
  via: SocketAddress | undefined;

  override connectMessages(_url: string, options?: ConnectOptions): MessageSocket {
    this.via = options?.via;
    return {} as MessageSocket;
  }
}

interface Rig {
  readonly clock: ManualClock;
  readonly path: AiPath;
  readonly near: StreamConnection;
  readonly far: StreamConnection;
  readonly stalls: AiStall[];
}

/** A connection through a modelled path, in a network that takes no time itself. */
async function connect(plan: AiNetwork): Promise<Rig> {
  const clock = new ManualClock();
  const network = new NotedNetwork({ clock, random: seededRandom("net"), latencyMs: 0 });
  let far: StreamConnection | undefined;
  await network.listenStream(HOST, {
    onConnection: (connection) => {
      far = connection;
    },
    onRefused: () => {},
  });
  const path = await openModelledPath({ clock, network, seed: "7", remote: HOST, plan });
  const stalls: AiStall[] = [];
  path.onStall = (stall) => stalls.push(stall);
  path.network.connectMessages("wss://ai.example/v1");
  if (network.via === undefined) throw new Error("no relay");
  const opening = network.connectStream(network.via, { timeoutMs: 1000 });
  await clock.advanceAsync(1);
  const near = await opening;
  await clock.advanceAsync(1000);
  if (far === undefined) throw new Error("the relay did not connect");
  return { clock, path, near, far, stalls };
}

/** What comes to an end, and when. */
function listen(connection: StreamConnection, clock: ManualClock): { ms: number; text: string }[] {
  const came: { ms: number; text: string }[] = [];
  connection.onData = (data) => {
    came.push({ ms: clock.now(), text: new TextDecoder().decode(data) });
  };
  return came;
}

const say = (connection: StreamConnection, text: string): void =>
  connection.send(new TextEncoder().encode(text));

describe("openModelledPath", () => {
  it("passes bytes on as they are, each direction after its own delay", async () => {
    const rig = await connect({
      sent: { delay: { delayMs: 40 } },
      received: { delay: { delayMs: 15 } },
    });
    const atFar = listen(rig.far, rig.clock);
    const atNear = listen(rig.near, rig.clock);
    const from = rig.clock.now();
    say(rig.near, "hello");
    say(rig.far, "good morning");
    await rig.clock.advanceAsync(200);

    expect(atFar).toEqual([{ ms: from + 40, text: "hello" }]);
    expect(atNear).toEqual([{ ms: from + 15, text: "good morning" }]);
    expect(rig.stalls).toEqual([]);
    await rig.path.close();
  });

  it("loses packets, but no bytes, and says what stalled and why", async () => {
    const rig = await connect({ received: { delay: { delayMs: 40 } } });
    const atNear = listen(rig.near, rig.clock);
    for (let frame = 0; frame < 50; frame += 1) {
      if (frame === 20) {
        const lost = [[1, 1]] as const;
        rig.path.change({ received: { delay: { delayMs: 40 }, loss: { kind: "scripted", lost } } });
      }
      say(rig.far, `${frame};`.padEnd(1300, "."));
      // One frame after the other: that is how they are paced.
      // oxlint-disable-next-line no-await-in-loop
      await rig.clock.advanceAsync(20);
    }
    await rig.clock.advanceAsync(2000);

    const text = atNear.map((each) => each.text).join("");
    const frames = Array.from({ length: 50 }, (_, frame) => `${frame};`.padEnd(1300, "."));
    expect(text).toBe(frames.join(""));
    expect(rig.stalls).toMatchObject([{ direction: "received", causes: ["fastRetransmission"] }]);
    expect(rig.stalls[0]?.overdueMs).toBeGreaterThan(50);
    const { received, tcp } = rig.path.counts;
    expect(received.lost).toBe(1);
    expect(tcp?.received).toMatchObject({ retransmissions: 1, timeouts: 0 });
    await rig.path.close();
  });

  it("passes the end of a connection on after all that was said before it", async () => {
    const rig = await connect({ sent: { delay: { delayMs: 100 } } });
    const atFar = listen(rig.far, rig.clock);
    const ends: number[] = [];
    rig.far.onClose = () => ends.push(rig.clock.now());
    const from = rig.clock.now();
    say(rig.near, "bye");
    rig.near.close();
    await rig.clock.advanceAsync(1000);

    expect(atFar).toEqual([{ ms: from + 100, text: "bye" }]);
    expect(ends).toEqual([from + 100]);
    await rig.path.close();
  });

  it("passes a broken connection on", async () => {
    const rig = await connect({});
    const ends: unknown[] = [];
    rig.far.onClose = (error) => ends.push(error);
    rig.near.terminate();
    await rig.clock.advanceAsync(1000);

    expect(ends).toMatchObject([{ code: "ERR_CONNECTION_LOST" }]);
    await rig.path.close();
  });

  it("refuses what it has no model of", async () => {
    await expect(connect({ congestionControl: "bbr" })).rejects.toMatchObject({
      code: "ERR_AI_TRANSPORT",
    });
  });
});
