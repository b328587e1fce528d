import { describe, expect, it } from "vitest";
import { type DatagramSocket, instant, type SocketAddress } from "../environment/index.ts";
import { PeerWatch } from "./peer-watch.ts";

const PEER = { address: "10.0.0.2", port: 4000 };

function openWatch() {
  const ties: (SocketAddress | undefined)[] = [];
  const socket: DatagramSocket = {
    local: { address: "10.0.0.1", port: 1 },
    onDatagram: undefined,
    onError: undefined,
    send: () => {},
    tieTo: (peer) => ties.push(peer),
    close: () => Promise.resolve(),
  };
  const watch = new PeerWatch(socket, 5000);
  return { watch, ties };
}

describe("PeerWatch", () => {
  it("ties the socket to a silent peer for half a second, and then lets it go", () => {
    const { watch, ties } = openWatch();
    watch.expect(true, instant(0));
    for (let ms = 0; ms <= 4000; ms += 20) watch.check(instant(500), PEER, instant(ms));

    expect(ties).toEqual([PEER, undefined]);
  });

  it("says once for how long nothing has come", () => {
    const { watch } = openWatch();
    watch.expect(true, instant(0));

    expect(watch.check(instant(1000), PEER, instant(5980))).toBeUndefined();
    expect(watch.check(instant(1000), PEER, instant(6000))).toEqual({
      since: 1000,
      silentMs: 5000,
    });
    expect(watch.check(instant(1000), PEER, instant(9000))).toBeUndefined();
  });

  it("expects nothing of a peer on hold, and begins anew when it comes back", () => {
    const { watch, ties } = openWatch();
    watch.expect(true, instant(0));
    watch.check(undefined, PEER, instant(1500));
    watch.expect(false, instant(1600));

    expect(watch.check(undefined, PEER, instant(60_000))).toBeUndefined();
    expect(ties).toEqual([PEER, undefined]);
    watch.expect(true, instant(60_000));
    expect(watch.check(undefined, PEER, instant(64_000))).toBeUndefined();
    expect(watch.check(undefined, PEER, instant(65_000))).toEqual({
      since: 60_000,
      silentMs: 5000,
    });
  });

  it("remembers what the host said of the peer, and only that", () => {
    const { watch } = openWatch();
    watch.handleError(Object.assign(new Error("too long"), { code: "EMSGSIZE" }));
    expect(watch.unreachable).toBeUndefined();
    watch.handleError(Object.assign(new Error("refused"), { code: "ECONNREFUSED" }));
    expect(watch.unreachable).toBe("ECONNREFUSED");
  });
});
