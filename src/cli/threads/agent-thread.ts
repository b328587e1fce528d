/** The body of an agent's thread: SIP, RTP and AI bridge, away from whatever else runs. */
import { serveAgent } from "../../call/index.ts";
import {
  compiledModule,
  createEnvironment,
  EventLoopMonitor,
  loadUserModule,
  NodeNamespaceHost,
  parentChannel,
  startThread,
  threadData,
  variable,
} from "../../platform/index.ts";

const { seed, dnsServers } = threadData() as {
  readonly seed: string;
  readonly dnsServers: readonly string[];
};
const monitor = new EventLoopMonitor();
let shards = 0;
const environment = createEnvironment({ seed, dnsServers });
const namespaces = new NodeNamespaceHost(
  environment.clock,
  compiledModule("src/cli/processes/namespace-process.js"),
);
const close = serveAgent(
  parentChannel(),
  { ...environment, namespaces },
  {
    instrument: { readLag: () => monitor.read(), peekLag: () => monitor.peek() },
    toolHost: { loadModule: loadUserModule, variable },
    startShard: () => {
      shards += 1;
      const entry = compiledModule("src/cli/threads/agent-thread.js");
      return startThread(entry, { seed: `${seed}/shard/${shards}`, dnsServers });
    },
  },
);

// A bug of ours must not leave calls up: BYE first, then the thread dies of the bug.
process.once("uncaughtException", (bug) => {
  void close().finally(() => {
    throw bug;
  });
});
