/** The body of an agent's thread: SIP, RTP and AI bridge, away from whatever else runs. */
import { serveAgent } from "../../call/index.ts";
import {
  createEnvironment,
  EventLoopMonitor,
  parentChannel,
  threadData,
} from "../../platform/index.ts";

const { seed } = threadData() as { readonly seed: string };
const monitor = new EventLoopMonitor();
serveAgent(parentChannel(), createEnvironment({ seed }), { readLag: () => monitor.read() });
