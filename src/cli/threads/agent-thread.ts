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
const close = serveAgent(parentChannel(), createEnvironment({ seed }), {
  readLag: () => monitor.read(),
});

// A bug of ours must not leave calls up: BYE first, then the thread dies of the bug.
process.once("uncaughtException", (bug) => {
  void close().finally(() => {
    throw bug;
  });
});
