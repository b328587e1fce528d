import { randomBytes } from "node:crypto";
import {
  type Environment,
  type Logger,
  SILENT_LOGGER,
  seededRandom,
} from "../environment/index.ts";
import { NodeNetwork } from "./network.ts";
import { NodeCryptography } from "./node-cryptography.ts";
import { SystemClock } from "./system-clock.ts";

/** What a run may choose of its environment. */
export interface EnvironmentOptions {
  /** Repeats a run's random choices. */
  readonly seed?: string;
  readonly logger?: Logger;
}

/** The world as this host provides it. */
export function createEnvironment(options: EnvironmentOptions = {}): Environment {
  const clock = new SystemClock();
  return {
    clock,
    random: seededRandom(options.seed ?? randomSeed()),
    logger: options.logger ?? SILENT_LOGGER,
    network: new NodeNetwork(clock),
    cryptography: new NodeCryptography(),
  };
}

/** A fresh seed: eight hexadecimal digits, short enough to be typed again. */
export function randomSeed(): string {
  return randomBytes(4).toString("hex");
}
