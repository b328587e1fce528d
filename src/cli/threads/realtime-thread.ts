/** The body of the embedded AI's thread. */
import { serveRealtimeServer } from "../../call/index.ts";
import {
  createEnvironment,
  NodeFileStore,
  parentChannel,
  threadData,
} from "../../platform/index.ts";

const { seed } = threadData() as { readonly seed: string };
serveRealtimeServer(parentChannel(), createEnvironment({ seed }), new NodeFileStore());
