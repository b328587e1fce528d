/** One agent in a process of its own, so that its CPU time can be told from everything else. */
import { serveAgent } from "../src/call/index.ts";
import {
  createEnvironment,
  EventLoopMonitor,
  parentProcessChannel,
} from "../src/platform/index.ts";

const monitor = new EventLoopMonitor();
serveAgent(parentProcessChannel(), createEnvironment({ seed: "bench" }), {
  readLag: () => monitor.read(),
});
