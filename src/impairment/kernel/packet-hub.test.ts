import { describe, expect, it } from "vitest";
import { after, type DatagramSocket, type SocketAddress } from "../../environment/index.ts";
import { ManualClock } from "../../testing/index.ts";
import type { NetworkPlan } from "../profiles.ts";
import { PacketHub } from "./packet-hub.ts";
import { VXLAN_OVERHEAD_BYTES } from "./vxlan.ts";

const NEAR = "10.77.1.2";
const FAR = "10.77.2.2";

/** A frame of a VXLAN with an IPv4 packet of so many bytes, the last of which says which it is. */
function frame(mark: number, packetBytes = 40, etherType = 0x0800): Uint8Array {
  const data = new Uint8Array(VXLAN_OVERHEAD_BYTES + packetBytes);
  new DataView(data.buffer).setUint16(20, etherType);
  data[data.length - 1] = mark;
  return data;
}

class HubSocket implements DatagramSocket {
  readonly local = { address: "0.0.0.0", port: 4789 };
  onDatagram: DatagramSocket["onDatagram"];
  onError: DatagramSocket["onError"];
  readonly sent: { readonly mark: number; readonly to: string; readonly atMs: number }[] = [];
  readonly last: Uint8Array[] = [];
  readonly #clock: ManualClock;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  send(data: Uint8Array, to: SocketAddress): void {
    this.last.push(data);
    this.sent.push({ mark: data.at(-1) ?? -1, to: to.address, atMs: this.#clock.now() });
  }

  tieTo(): void {}

  close(): Promise<void> {
    return Promise.resolve();
  }
}

function openHub(plan: NetworkPlan): { clock: ManualClock; socket: HubSocket; hub: PacketHub } {
  const clock = new ManualClock();
  const socket = new HubSocket(clock);
  const hub = new PacketHub(socket, clock, {
    plan,
    seed: "hub",
    near: NEAR,
    far: FAR,
    isPunctual: true,
  });
  return { clock, socket, hub };
}

describe("PacketHub", () => {
  it("carries packets both ways, each with the delay of its direction", () => {
    const { clock, socket } = openHub({
      sent: { delay: { delayMs: 30 } },
      received: { delay: { delayMs: 10 } },
    });

    socket.onDatagram?.(frame(1), { address: NEAR, port: 50_000 }, clock.now());
    socket.onDatagram?.(frame(2), { address: FAR, port: 50_000 }, clock.now());
    clock.advance(100);

    expect(socket.sent).toEqual([
      { mark: 2, to: NEAR, atMs: 10 },
      { mark: 1, to: FAR, atMs: 30 },
    ]);
  });

  it("keeps a packet that its socket writes over", () => {
    const { clock, socket } = openHub({ sent: { delay: { delayMs: 5 } } });
    const data = frame(7);

    socket.onDatagram?.(data, { address: NEAR, port: 1 }, clock.now());
    data.fill(0);
    clock.advance(5);

    expect(socket.sent[0]?.mark).toBe(7);
  });

  it("gives the packets of a direction the same fate, whatever happens in the other", () => {
    const plan = { sent: { loss: { kind: "bernoulli" as const, lossRatio: 0.3 } } };
    const marks = [false, true].map((hasOthers) => {
      const { clock, socket } = openHub({ ...plan, received: plan.sent });
      for (let mark = 0; mark < 50; mark += 1) {
        socket.onDatagram?.(frame(mark), { address: NEAR, port: 1 }, clock.now());
        if (hasOthers) socket.onDatagram?.(frame(0), { address: FAR, port: 1 }, clock.now());
      }
      return socket.sent.filter(({ to }) => to === FAR).map(({ mark }) => mark);
    });

    expect(marks[0]).toEqual(marks[1]);
    expect(marks[0]?.length).toBeGreaterThan(20);
    expect(marks[0]?.length).toBeLessThan(50);
  });

  it("turns one bit over in the IP packet, and none before it", () => {
    const { clock, socket } = openHub({ sent: { corruptRatio: 1, duplicateRatio: 1 } });
    const sent = frame(9);

    socket.onDatagram?.(sent, { address: NEAR, port: 1 }, clock.now());

    expect(socket.last).toHaveLength(2);
    for (const got of socket.last) {
      const wrong = [...got].flatMap((byte, index) => (byte === sent[index] ? [] : [index]));
      expect(wrong).toHaveLength(1);
      expect(wrong[0]).toBeGreaterThanOrEqual(VXLAN_OVERHEAD_BYTES);
    }
  });

  it("counts IP's bytes against the rate, not the VXLAN's", () => {
    // 1000 bytes at 8 kbit/s: one second.
    const { clock, socket } = openHub({ sent: { rate: { bitsPerSecond: 8000 } } });

    socket.onDatagram?.(frame(1, 1000), { address: NEAR, port: 1 }, clock.now());
    clock.advance(2000);

    expect(socket.sent[0]?.atMs).toBe(1000);
  });

  it("does not carry what is no IPv4, and counts it", () => {
    const { clock, socket, hub } = openHub({});

    socket.onDatagram?.(frame(1, 40, 0x86dd), { address: NEAR, port: 1 }, clock.now());
    socket.onDatagram?.(new Uint8Array(10), { address: NEAR, port: 1 }, clock.now());

    expect(socket.sent).toEqual([]);
    expect(hub.report).toMatchObject({ ignored: 2, lateness: { packets: 0 } });
  });

  it("says how late it was", () => {
    const { clock, socket, hub } = openHub({ sent: { delay: { delayMs: 20 } } });
    const arrivedAt = clock.now();
    // The process was busy: the packet is read 25 ms after it came.
    clock.advance(25);

    socket.onDatagram?.(frame(1), { address: NEAR, port: 1 }, arrivedAt);

    expect(hub.report.lateness).toMatchObject({ packets: 1, maxMs: 5 });
    expect(hub.report.counts.sent).toMatchObject({ offered: 1, delivered: 1 });
  });

  it("follows another plan from then on", () => {
    const { clock, socket, hub } = openHub({});
    hub.change({ sent: { delay: { delayMs: 40 } } });

    socket.onDatagram?.(frame(1), { address: NEAR, port: 1 }, clock.now());
    socket.onDatagram?.(frame(2), { address: FAR, port: 1 }, clock.now());
    clock.advanceTo(after(clock.now(), 50));

    expect(socket.sent.map(({ mark, atMs }) => [mark, atMs])).toEqual([
      [2, 0],
      [1, 40],
    ]);
  });
});
