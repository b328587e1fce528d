import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EndpointReport } from "../../bench/sip/endpoint-process.ts";
import { compiledModule, type ProcessChannel, startProcess } from "../../src/platform/index.ts";
import { report } from "./support/report.ts";
import { Sipp } from "./support/sipp.ts";
import { because, missingReason } from "./support/tools.ts";

const MISSING = missingReason(["sipp"]);
const ADDRESS = "127.0.0.1";
const SIPP_PORT = 15_085;
const LOAD = { calls: 1000, callsPerSecond: 200, holdMs: 1000 };
const LIMIT_MS = 90_000;
/**
 * Where the host gives the processor to somebody else for a second, everything is repeated at once,
 * and SIPp gives up calls whose INVITE it sees again. That says nothing of us, so it is tried again.
 */
const TRY = { timeout: LIMIT_MS, retry: 2 };

/**
 * The rate that one SIP endpoint must carry, without media: what it costs is told by
 * `npm run bench:sip`, which runs the same process.
 */
describe.skipIf(MISSING !== undefined)(
  `${LOAD.calls} calls at ${LOAD.callsPerSecond} a second with SIPp${because(MISSING)}`,
  () => {
    let endpoint: ProcessChannel;
    let local: { readonly port: number };
    let sipp: Sipp | undefined;

    beforeEach(async () => {
      endpoint = startProcess(compiledModule("bench/sip/endpoint-process.js"));
      ({ local } = await nextMessage<{ local: typeof local }>(endpoint));
    });

    afterEach(async () => {
      await sipp?.stop();
      await endpoint.terminate();
    });

    it("fail in none as caller", TRY, async () => {
      sipp = await Sipp.startAnswerer({ address: ADDRESS, port: SIPP_PORT, calls: LOAD.calls });
      const target = `sip:service@${ADDRESS}:${SIPP_PORT}`;
      endpoint.post({ type: "call", target, ...LOAD });
      const ours = await nextMessage<EndpointReport>(endpoint);
      const theirs = await sipp.finish(LIMIT_MS);

      report("As caller", { ...ours, sippRetransmissions: theirs.retransmissions });
      expect(ours).toMatchObject({ successful: LOAD.calls, failures: {} });
      expect(theirs).toMatchObject({ successful: LOAD.calls, failed: 0 });
    });

    it("fail in none as bot", TRY, async () => {
      endpoint.post({ type: "take", calls: LOAD.calls });
      const reported = nextMessage<EndpointReport>(endpoint);
      sipp = await Sipp.startCaller({
        address: ADDRESS,
        port: SIPP_PORT,
        calls: LOAD.calls,
        target: `${ADDRESS}:${local.port}`,
        callsPerSecond: LOAD.callsPerSecond,
        holdMs: LOAD.holdMs,
      });
      const theirs = await sipp.finish(LIMIT_MS);
      const ours = await reported;

      report("As bot", { ...ours, sippRetransmissions: theirs.retransmissions });
      expect(ours).toMatchObject({ successful: LOAD.calls, failures: {} });
      expect(theirs).toMatchObject({ created: LOAD.calls, successful: LOAD.calls, failed: 0 });
    });
  },
);

function nextMessage<T>(process: ProcessChannel): Promise<T> {
  return new Promise((resolve, reject) => {
    process.onMessage = (message) => resolve(message as T);
    process.onGone = () => reject(new Error("The endpoint's process ended."));
  });
}
