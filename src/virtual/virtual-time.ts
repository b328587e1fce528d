import {
  type Clock,
  type FileStore,
  type Instant,
  instant,
  type Timer,
} from "../environment/index.ts";
import { idle, nextTurn } from "../platform/index.ts";
import { ManualClock } from "./manual-clock.ts";

/** 2026-01-01 00:00:00 UTC: what the wall clock shows when a virtual world begins. */
const WALL_CLOCK_START_MS = 1_767_225_600_000;
/** Not 0, so that nothing mistakes the first instant for none. */
const START: Instant = instant(1000);
/** So many instants without a step of the clock are timers set without end. */
const STANDSTILL_MAX = 100_000;

/**
 * The time of a virtual world. It passes only while somebody outside of the world waits for
 * something inside of it, and stands while work of the host that the world waits for is under way
 * (a file that is read). In between, everything that happens at one instant is settled before the
 * next one comes; so what happens depends on no machine's speed.
 */
export class VirtualTime {
  /** For those who live in the world. */
  readonly clock: ManualClock = new ManualClock(START, WALL_CLOCK_START_MS);
  /** For those who watch it: their timers are waits, and let time pass. */
  readonly watcherClock: Clock;
  #waits = 0;
  #holds = 0;
  #isRunning = false;
  #isStopped = false;

  constructor() {
    const { clock } = this;
    this.watcherClock = {
      now: () => clock.now(),
      wallClockMs: () => clock.wallClockMs(),
      setTimer: (dueAt, handler) => this.#waitUntil(dueAt, handler),
    };
  }

  /** Somebody waits for what happens in the world; the result says that the wait is over. */
  beginWait(): () => void {
    this.#waits += 1;
    this.#start();
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#waits -= 1;
    };
  }

  /** Time stands until this work of the host is done. */
  async hold<Value>(work: Promise<Value>): Promise<Value> {
    this.#holds += 1;
    try {
      return await work;
    } finally {
      this.#holds -= 1;
    }
  }

  /** A file store whose work is waited for. */
  heldFiles(files: FileStore): FileStore {
    return {
      read: (path) => this.hold(files.read(path)),
      readText: (path) => this.hold(files.readText(path)),
      write: (path, data) => this.hold(files.write(path, data)),
      append: (path, text) => this.hold(files.append(path, text)),
      exists: (path) => this.hold(files.exists(path)),
      list: (path) => this.hold(files.list(path)),
    };
  }

  /** Time never passes again. */
  stop(): void {
    this.#isStopped = true;
  }

  #waitUntil(dueAt: Instant, handler: () => void): Timer {
    const end = this.beginWait();
    const timer = this.clock.setTimer(dueAt, () => {
      end();
      handler();
    });
    return {
      cancel: () => {
        end();
        timer.cancel();
      },
    };
  }

  #start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    let standstill = 0;
    // One instant after the other: that is what time is.
    /* oxlint-disable no-await-in-loop */
    for (;;) {
      await nextTurn();
      if (this.#waits === 0 || this.#isStopped) break;
      const before = this.clock.now();
      if (this.#holds > 0 || !this.clock.fireNextInstant()) await idle();
      else standstill = this.clock.now() > before ? 0 : standstill + 1;
      if (standstill > STANDSTILL_MAX)
        throw new Error("Bug: timers are set without end at one instant.");
    }
    /* oxlint-enable no-await-in-loop */
    this.#isRunning = false;
  }
}
