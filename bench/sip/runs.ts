/** One run of each kind: so many calls between ours and SIPp. */
import { agentCalls, agentTakes } from "./agent-runs.ts";
import { BenchEndpoint } from "./endpoint.ts";
import type { EndpointReport } from "./endpoint-process.ts";
import type { Load, RunResult } from "./load.ts";
import { SippRun } from "./sipp-run.ts";

/** In the order in which they are run. */
export const RUNS: Readonly<Record<string, (load: Load, folder: string) => Promise<RunResult>>> = {
  "endpoint, caller": endpointCalls,
  "endpoint, bot": endpointTakes,
  "agent with media, caller": agentCalls,
  "agent with media, bot": agentTakes,
};

async function endpointCalls(load: Load, folder: string): Promise<RunResult> {
  const endpoint = await BenchEndpoint.start();
  const sipp = await SippRun.answerer(load, folder);
  try {
    const report = await endpoint.run({ type: "call", target: sipp.target, ...load });
    return resultOf(report, await sipp.end(), load);
  } finally {
    endpoint.close();
    await sipp.end();
  }
}

async function endpointTakes(load: Load, folder: string): Promise<RunResult> {
  const endpoint = await BenchEndpoint.start();
  const reported = endpoint.run({ type: "take", calls: load.calls });
  const sipp = SippRun.caller(load, endpoint.local.port, folder);
  try {
    return resultOf(await reported, await sipp.end(), load);
  } finally {
    endpoint.close();
    await sipp.end();
  }
}

function resultOf(report: EndpointReport, sippCpuMs: number, { calls }: Load): RunResult {
  return { ...report, failed: calls - report.successful, sippCpuMsPerCall: sippCpuMs / calls };
}
