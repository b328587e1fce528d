import { describe, expect, it } from "vitest";
import { instant, type SocketAddress } from "../environment/index.ts";
import { SourceLock, type SourceVerdict } from "./source-lock.ts";

const PEER = { address: "10.0.0.2", port: 4000 };
const NAT = { address: "10.0.0.2", port: 4444 };
const STRANGER = { address: "10.9.9.9", port: 4000 };

function arrive(lock: SourceLock, from: SocketAddress, ms: number): SourceVerdict {
  const verdict = lock.judge(from, instant(ms));
  if (verdict !== "foreign") lock.accept(from, instant(ms));
  return verdict;
}

describe("SourceLock", () => {
  it("takes packets of the negotiated address only", () => {
    const lock = new SourceLock(PEER, false);
    expect(arrive(lock, STRANGER, 0)).toBe("foreign");
    expect(arrive(lock, PEER, 1)).toBe("peer");
    expect(arrive(lock, STRANGER, 2000)).toBe("foreign");
  });

  it("latches to the port that a NAT made of it, and keeps to it", () => {
    const lock = new SourceLock(PEER, false);
    expect(arrive(lock, NAT, 0)).toBe("candidate");
    expect(arrive(lock, NAT, 20)).toBe("peer");
    expect(lock.source).toEqual(NAT);
  });

  it("gives the lock back to the negotiated port, from which the peer really sends", () => {
    const lock = new SourceLock(PEER, false);
    expect(arrive(lock, NAT, 0)).toBe("candidate");
    expect(arrive(lock, PEER, 5)).toBe("candidate");
    expect(arrive(lock, NAT, 10)).toBe("foreign");
  });

  it("does not let an injected packet take a running stream over", () => {
    const lock = new SourceLock(PEER, true);
    expect(arrive(lock, PEER, 0)).toBe("peer");
    expect(arrive(lock, STRANGER, 10)).toBe("foreign");
    expect(arrive(lock, NAT, 499)).toBe("foreign");
    expect(arrive(lock, NAT, 500)).toBe("candidate");
  });

  it("is not locked by what only looks like a packet", () => {
    const lock = new SourceLock(PEER, false);
    expect(lock.judge(NAT, instant(0))).toBe("candidate");
    expect(lock.judge(PEER, instant(1))).toBe("peer");
    expect(lock.source).toEqual(PEER);
  });

  it("follows another host only where it was asked to", () => {
    expect(arrive(new SourceLock(PEER, true), STRANGER, 0)).toBe("candidate");
    expect(arrive(new SourceLock(PEER, false), STRANGER, 0)).toBe("foreign");
  });

  it("follows the peer where it says that it moved", () => {
    const lock = new SourceLock(PEER, false);
    arrive(lock, PEER, 0);
    lock.moveTo(STRANGER);
    expect(lock.source).toEqual(STRANGER);
    expect(arrive(lock, STRANGER, 20)).toBe("peer");
    expect(arrive(lock, PEER, 40)).toBe("foreign");
  });
});
