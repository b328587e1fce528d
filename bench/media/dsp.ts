/** What each piece of signal processing costs per frame of 20 ms. */
import { SRTP_SUITES } from "../../src/srtp/index.ts";
import { codecCases } from "./codec-cases.ts";
import { type MicroCase, measureCases } from "./micro.ts";
import { pathCases } from "./path-cases.ts";
import { sessionCases } from "./session-cases.ts";
import { protectionCases, resamplerCases, signalCases } from "./signal-cases.ts";
import { figure, Table, write } from "./table.ts";

export async function dsp(): Promise<void> {
  write("median of 5 interleaved repetitions; bytes: heap growth per frame after warm-up");
  const table = new Table(["", "µs/frame", "bytes/frame", "× faster"], 38);
  const groups: readonly (readonly MicroCase[])[] = [
    await codecCases(),
    resamplerCases(),
    pathCases(),
    sessionCases(),
    SRTP_SUITES.flatMap((suite) => protectionCases(suite)),
    signalCases(),
  ];
  for (const cases of groups) {
    const figures = measureCases(cases);
    for (const { name, against } of cases) {
      const { microseconds = Number.NaN, bytes } = figures.get(name) ?? {};
      const other = against === undefined ? undefined : figures.get(against)?.microseconds;
      const ratio = other === undefined ? "" : figure(other / microseconds, 1);
      table.row([name, figure(microseconds), figure(bytes, 0), ratio]);
    }
  }
}
