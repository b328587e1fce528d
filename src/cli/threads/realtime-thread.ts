/** The body of the embedded AI's thread. */
import { serveRealtimeServer } from "../../call/index.ts";
import {
  createEnvironment,
  NodeFileStore,
  parentChannel,
  threadData,
} from "../../platform/index.ts";
import { speechPlugIns } from "./speech-plug-ins.ts";

const { seed } = threadData() as { readonly seed: string };
const files = new NodeFileStore();
serveRealtimeServer(parentChannel(), createEnvironment({ seed }), files, speechPlugIns(files));
