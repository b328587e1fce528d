import { describe, expect, it } from "vitest";
import { instant, seededRandom } from "../environment/index.ts";
import { ManualClock, VirtualNetwork } from "../testing/index.ts";
import {
  type FrontedDatagram,
  type FrontedError,
  FrontedSocket,
  SipFront,
  shardOf,
} from "./sip-front.ts";

const LOCAL = { address: "10.0.0.1", port: 5060 };
const PEER = { address: "10.0.0.2", port: 5060 };

async function openFront(shards: number) {
  const clock = new ManualClock(instant(0));
  const network = new VirtualNetwork({ clock, random: seededRandom("front") });
  const peer = await network.bindDatagram(PEER);
  const got: (FrontedDatagram | FrontedError)[][] = Array.from({ length: shards }, () => []);
  const front = new SipFront(
    await network.bindDatagram(LOCAL),
    got.map((messages) => (message) => messages.push(message)),
  );
  const send = (text: string): void => {
    peer.send(new TextEncoder().encode(text), LOCAL);
    clock.advance(10);
  };
  return { clock, peer, got, front, send };
}

describe("shardOf", () => {
  it("spreads Call-IDs evenly, and gives the same thread each time", () => {
    const random = seededRandom("shards");
    for (const count of [2, 3, 4, 8]) {
      const shares = Array.from({ length: count }, () => 0);
      for (let call = 0; call < 8000; call += 1) {
        const callId = `mig7p${Math.floor(random() * 2 ** 40).toString(36)}@10.0.0.1`;
        const shard = shardOf(callId, count);
        expect(shardOf(callId, count)).toBe(shard);
        shares[shard] = (shares[shard] as number) + 1;
      }
      for (const share of shares) expect(share * count).toBeGreaterThan(8000 * 0.9);
    }
  });
});

describe("SipFront", () => {
  it.each(["Call-ID: ", "call-id:", "i: ", "CALL-ID \t:  "])(
    "reads the Call-ID behind %j, whatever stands in the body",
    async (header) => {
      const { got, send } = await openFront(4);
      for (const callId of ["a@x", "b@x", "c@x", "d@x", "e@x"]) {
        send(`BYE sip:a@b SIP/2.0\r\nVia: x\r\n${header}${callId}\r\n\r\n\r\nCall-ID: other\r\n`);
        const shard = shardOf(callId, 4);
        const datagram = got[shard]?.pop() as FrontedDatagram;
        expect(new TextDecoder().decode(datagram.data)).toContain(callId);
        expect(datagram).toMatchObject({ address: PEER, at: expect.any(Number) });
      }
      expect(got.flat()).toEqual([]);
    },
  );

  it("gives what has no Call-ID to one of them, so that it is counted", async () => {
    const { got, send } = await openFront(3);
    send("\r\n\r\n");
    expect(got.flat()).toHaveLength(1);
  });

  it("sends what a thread sends, and hands on what comes for it", async () => {
    const { clock, peer, front } = await openFront(2);
    const arrived: string[] = [];
    peer.onDatagram = (data) => arrived.push(new TextDecoder().decode(data));
    const socket = new FrontedSocket(LOCAL, (message) => front.send(message));
    const heard: unknown[] = [];
    socket.onDatagram = (data, from, at) => heard.push([data[0], from, at]);

    socket.send(new TextEncoder().encode("OPTIONS"), PEER);
    clock.advance(10);
    socket.handle({ type: "datagram", data: Uint8Array.of(7), address: PEER, at: instant(3) });

    expect(arrived).toEqual(["OPTIONS"]);
    expect(heard).toEqual([[7, PEER, 3]]);
  });
});
