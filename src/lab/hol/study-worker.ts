import type { Harness } from "../../call/index.ts";
import { errorText, isSidetoneError } from "../../environment/index.ts";
import { checkAiNetwork } from "../../impairment/index.ts";
import type { CallMetrics, CallRecord } from "../../measure/index.ts";
import { type CallResult, failedCall, resultOf } from "./call-result.ts";
import {
  aiNetworkOf,
  type CallPlace,
  openPlace,
  type StartedCall,
  startCall,
} from "./place-call.ts";
import { type Cell, type PlannedCall, type StudyTime, type Sweep, timeOf } from "./sweep.ts";

/** Carries calls of a study out, one at a time; here, or in a process of its own. */
export interface StudyWorking {
  /** Why a cell's transport cannot be had here; found out by a call without injuries. */
  whyNot(cell: Cell): Promise<string | undefined>;
  /** Brings a call up; where that fails, `finish` tells. */
  start(call: PlannedCall): Promise<void>;
  /** Talks to the end of the call that was started, and takes its figures. */
  finish(): Promise<CallResult>;
}

/** What a worker is made of. */
export interface StudyWorkerParts {
  readonly sweep: Sweep;
  /** Each call in virtual time has its own; those in real time share one. */
  readonly openHarness: (seed: string, time: StudyTime) => Promise<Harness>;
  /** All figures of a call, with ViSQOL's where the sweep wants them. */
  readonly measure: (record: CallRecord) => Promise<CallMetrics>;
  /** The script `head-of-line`. */
  readonly scriptPath: string;
}

type Started =
  | { readonly planned: PlannedCall; readonly code: string }
  | { readonly planned: PlannedCall; readonly place: CallPlace; readonly started: StartedCall };

/** A worker in this process. */
export class StudyWorker implements StudyWorking {
  readonly #parts: StudyWorkerParts;
  #realPlace: CallPlace | undefined;
  #current: Started | undefined;

  constructor(parts: StudyWorkerParts) {
    this.#parts = parts;
  }

  async whyNot(cell: Cell): Promise<string | undefined> {
    const harmless = { ...cell, lossRatio: 0, burstPackets: 1, roundTripMs: 0, preBufferMs: 0 };
    const seed = `${this.#parts.sweep.seed}/probe`;
    try {
      checkAiNetwork(aiNetworkOf(harmless, seed));
      const place = await this.#openPlace(seed, timeOf(cell, this.#parts.sweep));
      try {
        const { bot, talk } = await startCall(place, { cell: harmless, repeat: 0, seed });
        await talk.end();
        await bot.close();
      } finally {
        await place.harness.close();
      }
      return undefined;
    } catch (error) {
      return errorText(error);
    }
  }

  async start(planned: PlannedCall): Promise<void> {
    let place: CallPlace | undefined;
    try {
      place = await this.#placeFor(planned);
      this.#current = { planned, place, started: await startCall(place, planned) };
    } catch (error) {
      await this.#leave(place);
      this.#current = { planned, code: codeOf(error) };
    }
  }

  async finish(): Promise<CallResult> {
    const current = this.#current;
    if (current === undefined) throw new Error("Bug: no call was started.");
    this.#current = undefined;
    const { planned } = current;
    if ("code" in current) return failedCall(planned, current.code);
    const { place, started } = current;
    const { bot, talk } = started;
    try {
      const { call, indexOf } = await talk.untilEnd(this.#parts.sweep.turnsPerCall);
      const record = await call.record();
      await call.release();
      const metrics = await this.#parts.measure(record);
      return resultOf(planned, metrics, { facts: record.facts, indexOf });
    } catch (error) {
      return failedCall(planned, codeOf(error));
    } finally {
      await bot.close();
      await this.#leave(place);
    }
  }

  /** Hangs up what is up. */
  async close(): Promise<void> {
    await this.#realPlace?.harness.close();
    this.#realPlace = undefined;
  }

  async #placeFor({ cell, seed }: PlannedCall): Promise<CallPlace> {
    const { sweep } = this.#parts;
    if (timeOf(cell, sweep) === "virtual") return this.#openPlace(seed, "virtual");
    this.#realPlace ??= await this.#openPlace(sweep.seed, "real");
    return this.#realPlace;
  }

  async #leave(place: CallPlace | undefined): Promise<void> {
    if (place !== this.#realPlace) await place?.harness.close();
  }

  async #openPlace(seed: string, time: StudyTime): Promise<CallPlace> {
    const harness = await this.#parts.openHarness(seed, time);
    try {
      const { scriptPath, sweep } = this.#parts;
      return await openPlace(harness, { scriptPath, aiFormat: sweep.aiFormat });
    } catch (error) {
      await harness.close();
      throw error;
    }
  }
}

/** What is wrong with the study itself would be wrong with every call of it. */
function codeOf(error: unknown): string {
  if (!isSidetoneError(error) || error.fault === "usage") throw error;
  return error.code;
}
