// Places a call to the URI that it is given, says "up" once it is there (or "dialled", with
// "ringing"), and then leaves in the way that it is told on standard input.
import { openHarness } from "../../dist/src/index.js";

const [target, reportFolder, state] = process.argv.slice(2);
const harness = await openHarness({ seed: "ways out", reportFolder });
const caller = await harness.addAgent({
  party: "caller",
  user: "caller",
  local: { address: "127.0.0.1", port: 0 },
});
const call = await caller.dial(target);
const phase = state === "ringing" ? "ringing" : "confirmed";
await call.waitFor((fact) => fact.kind === "callPhase" && fact.phase === phase, 10_000);

const WAYS = {
  exit: () => process.exit(0),
  throw: () => {
    throw new Error("thrown");
  },
  reject: () => void Promise.reject(new Error("rejected")),
  close: async () => {
    await harness.close();
    process.exit(0);
  },
};

process.stdin.setEncoding("utf8").on("data", (way) => WAYS[way.trim()]());
process.stdout.write("up\n");
