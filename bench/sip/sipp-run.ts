/** SIPp at the other end of a run, with its built-in scenarios. */
import { setTimeout as delay } from "node:timers/promises";
import { Program } from "../media/host.ts";
import type { Load } from "./load.ts";

const ADDRESS = "127.0.0.1";
const PORT = 15_090;
/** SIPp prints nothing when it is ready. */
const READY_MS = 500;
const SAMPLE_MS = 50;

export class SippRun {
  readonly target: string = `sip:service@${ADDRESS}:${PORT}`;
  readonly #program: Program;
  #cpuMs = 0;

  static async answerer(load: Load, folder: string): Promise<SippRun> {
    const sipp = new SippRun(["-sn", "uas"], load, folder);
    await delay(READY_MS);
    return sipp;
  }

  /** Starts calling at once. */
  static caller(load: Load, port: number, folder: string): SippRun {
    const { calls, callsPerSecond, holdMs } = load;
    const args = `-sn uac ${ADDRESS}:${port} -s bot -r ${callsPerSecond} -d ${holdMs} -l ${calls}`;
    return new SippRun(args.split(" "), load, folder);
  }

  private constructor(args: readonly string[], { calls }: Load, folder: string) {
    const common = `-i ${ADDRESS} -p ${PORT} -mi ${ADDRESS} -m ${calls} -nostdin`.split(" ");
    this.#program = new Program("sipp", [...args, ...common], folder);
    void this.#sample();
  }

  /** Waits for its end, kills it after a time, and returns the CPU time that it used. */
  async end(limitMs?: number): Promise<number> {
    await this.#program.end(limitMs);
    return this.#cpuMs;
  }

  /** Nothing can be read of a process that has ended. */
  async #sample(): Promise<void> {
    while (!this.#program.hasEnded) {
      this.#cpuMs = Math.max(this.#cpuMs, this.#program.cpuMs() || 0);
      await delay(SAMPLE_MS);
    }
  }
}
