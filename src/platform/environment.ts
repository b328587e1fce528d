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
  /** DNS servers instead of the host's: "192.0.2.53", "192.0.2.53:5353". */
  readonly dnsServers?: readonly string[];
}

/**
 * The world as this host provides it.
 * @throws UsageError ERR_DNS_SERVER_MALFORMED.
 */
export function createEnvironment(options: EnvironmentOptions = {}): Environment {
  const clock = new SystemClock();
  return {
    clock,
    random: seededRandom(options.seed ?? randomSeed()),
    logger: options.logger ?? SILENT_LOGGER,
    network: new NodeNetwork(clock, options.dnsServers),
    cryptography: new NodeCryptography(),
  };
}

/** A fresh seed: eight hexadecimal digits, short enough to be typed again. */
export function randomSeed(): string {
  return randomBytes(4).toString("hex");
}
