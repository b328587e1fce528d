import { afterAll, describe, expect, it } from "vitest";
import type { StreamConnection } from "../../src/environment/index.ts";
import { NodeNetwork, SystemClock } from "../../src/platform/index.ts";

const CHUNK_BYTES = 4096;
const TIMEOUT_MS = 5000;
const closers: (() => unknown)[] = [];

afterAll(() => Promise.all(closers.map((close) => close())));

/** A connection whose far end does not read. */
async function toSilentReader(): Promise<{ near: StreamConnection; far: StreamConnection }> {
  const network = new NodeNetwork(new SystemClock());
  const accepted: StreamConnection[] = [];
  const listener = await network.listenStream(
    { address: "127.0.0.1", port: 0 },
    {
      onRefused: () => {},
      onConnection: (connection) => {
        connection.pause();
        accepted.push(connection);
      },
    },
  );
  closers.push(() => listener.close());
  const near = await network.connectStream(listener.local, { timeoutMs: TIMEOUT_MS });
  closers.push(() => near.terminate());
  await expect.poll(() => accepted.length).toBe(1);
  return { near, far: accepted[0] as StreamConnection };
}

describe("a connection of the host", () => {
  it("tells that all is gone, though less waited than Node's high-water mark", async () => {
    const { near, far } = await toSilentReader();
    const drained = new Promise<void>((resolve) => {
      near.onDrain = resolve;
    });
    while (near.bufferedBytes === 0) near.send(new Uint8Array(CHUNK_BYTES));
    expect(near.bufferedBytes).toBeLessThanOrEqual(CHUNK_BYTES);

    far.onData = () => {};
    far.resume();

    await drained;
    expect(near.bufferedBytes).toBe(0);
  });
});
