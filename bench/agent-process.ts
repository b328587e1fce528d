/** One agent in a process of its own, so that its CPU time can be told from everything else. */

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
}

/** What it holds. */
export interface Resources {
  readonly type: "resources";
  readonly timers: number;
  readonly udpSockets: number;
  readonly heapUsedBytes: number;
}

const monitor = new EventLoopMonitor();
const channel = parentProcessChannel();
let shards = 0;
serveAgent(channel, createEnvironment({ seed: "bench" }), {
  instrument: { readLag: () => monitor.read() },
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
    if ((message as ResourcesRequest).type === "resources") served.post(resources());
    else handleVerb?.(message);
  };
}

function resources(): Resources {
  const active = process.getActiveResourcesInfo();
  const count = (name: string): number => active.filter((each) => each === name).length;
  const { heapUsed: heapUsedBytes } = process.memoryUsage();
  return {
    type: "resources",
    timers: count("Timeout"),
    udpSockets: count("UDPWrap") + count("UDPWRAP"),
    heapUsedBytes,
  };
}
