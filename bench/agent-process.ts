/** One agent in a process of its own, so that its CPU time can be told from everything else. */
import { serveAgent } from "../src/call/index.ts";
import {
  createEnvironment,
  EventLoopMonitor,
  parentProcessChannel,
} from "../src/platform/index.ts";

const monitor = new EventLoopMonitor();
const channel = parentProcessChannel();
serveAgent(channel, createEnvironment({ seed: "bench" }), { readLag: () => monitor.read() });
// Sockets and timers would keep it alive when nobody is left to tell it what to do.
channel.onGone = () => process.exit();
