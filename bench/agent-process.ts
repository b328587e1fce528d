/** One agent in a process of its own, so that its CPU time can be told from everything else. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { serveAgent } from "../src/call/index.ts";
import type { Channel } from "../src/environment/index.ts";
import {
  compiledModule,
  createEnvironment,
  EventLoopMonitor,
  parentProcessChannel,
  startThread,
} from "../src/platform/index.ts";

/** What the process is asked beside the agent's verbs. */
export interface ResourcesRequest {
  readonly type: "resources";
  /** Collects garbage before. */
  readonly collects: boolean;
}

/** What it holds. */
export interface Resources {
  readonly type: "resources";
  readonly timers: number;
  readonly udpSockets: number;
  readonly heapUsedBytes: number;
  /** Of buffers, outside the heap. */
  readonly bufferBytes: number;
}

const SWEEP_MS = 1000;

const monitor = new EventLoopMonitor();
const channel = parentProcessChannel();
let shards = 0;
serveAgent(channel, createEnvironment({ seed: "bench" }), {
  instrument: { readLag: () => monitor.read(), peekLag: () => monitor.peek() },
  startShard: () => {
    shards += 1;
    return startThread(compiledModule("src/cli/threads/agent-thread.js"), {
      seed: `bench/shard/${shards}`,
    });
  },
});
answerResources(channel);
// Sockets and timers would keep it alive when nobody is left to tell it what to do.
channel.onGone = () => process.exit();

function answerResources(served: Channel): void {
  const handleVerb = served.onMessage;
  served.onMessage = (message) => {
    const { type } = message as { readonly type: string };
    if (type !== "resources") handleVerb?.(message);
    else if ((message as ResourcesRequest).collects) {
      collectGarbage();
      // Buffers are given back by another thread, a little later.
      setTimeout(() => served.post(resources()), SWEEP_MS);
    } else served.post(resources());
  };
}

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

function resources(): Resources {
  const active = process.getActiveResourcesInfo();
  const count = (name: string): number => active.filter((each) => each === name).length;
  const { heapUsed: heapUsedBytes, arrayBuffers: bufferBytes } = process.memoryUsage();
  return {
    type: "resources",
    timers: count("Timeout"),
    udpSockets: count("UDPWrap") + count("UDPWRAP"),
    heapUsedBytes,
    bufferBytes,
  };
}
