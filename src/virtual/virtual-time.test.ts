import { describe, expect, it } from "vitest";
import { after } from "../environment/index.ts";
import { idle, nextTurn } from "../platform/index.ts";
import { VirtualTime } from "./virtual-time.ts";

describe("VirtualTime", () => {
  it("passes only while a watcher waits", async () => {
    const time = new VirtualTime();
    const begunAt = time.clock.now();
    const fired: number[] = [];
    time.clock.setTimer(after(begunAt, 10), () => fired.push(10));
    time.clock.setTimer(after(begunAt, 30), () => fired.push(30));
    await nextTurn();
    await nextTurn();
    expect(fired).toEqual([]);

    await new Promise<void>((resolve) => {
      time.watcherClock.setTimer(after(begunAt, 20), resolve);
    });
    await nextTurn();
    await nextTurn();

    expect(fired).toEqual([10]);
    expect(time.clock.now() - begunAt).toBe(20);
  });

  it("stands while the host works for the world, and no longer", async () => {
    const time = new VirtualTime();
    const begunAt = time.clock.now();
    let finish: (() => void) | undefined;
    const work = time.hold(
      new Promise<void>((resolve) => {
        finish = resolve;
      }),
    );
    const waited = new Promise<void>((resolve) => {
      time.watcherClock.setTimer(after(begunAt, 5), resolve);
    });
    await idle();
    await idle();
    expect(time.clock.now()).toBe(begunAt);

    finish?.();
    await work;
    await waited;
    expect(time.clock.now() - begunAt).toBe(5);
  });

  it("lets code that awaited go on before the next instant comes", async () => {
    const time = new VirtualTime();
    const { clock } = time;
    const begunAt = clock.now();
    const seen: number[] = [];
    const sleep = (ms: number): Promise<void> =>
      new Promise((resolve) => {
        clock.setTimer(after(clock.now(), ms), resolve);
      });
    const work = (async () => {
      await sleep(1);
      await nextTick();
      seen.push(clock.now() - begunAt);
      await sleep(1);
      seen.push(clock.now() - begunAt);
    })();
    clock.setTimer(after(begunAt, 1.5), () => seen.push(1.5));
    const end = time.beginWait();
    await work;
    end();

    expect(seen).toEqual([1, 1.5, 2]);
  });
});

/** As streams do. */
function nextTick(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}
