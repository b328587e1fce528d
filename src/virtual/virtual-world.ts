import {
  type Channel,
  type Environment,
  type FileStore,
  SILENT_LOGGER,
  seededRandom,
} from "../environment/index.ts";
import { keepAlive, NodeCryptography, replaceGlobalTimers } from "../platform/index.ts";
import { type ChannelWaits, virtualChannel } from "./virtual-channel.ts";
import { VirtualNetwork } from "./virtual-network.ts";
import { VirtualTime } from "./virtual-time.ts";

/** One way on this machine's loopback takes about so long. */
const LATENCY_MS = 0.1;

/** What runs at the far end of a channel, in place of a thread. */
export type Inhabitant = (channel: Channel, environment: Environment) => void;

/**
 * A machine of its own in this process: time, network and randomness follow from the seed. While it
 * is open, the global timers go by its clock.
 */
export class VirtualWorld {
  readonly time: VirtualTime = new VirtualTime();
  readonly network: VirtualNetwork;
  readonly #seed: string;
  readonly #messages: Pick<ChannelWaits, "isRequest" | "isReply">;
  readonly #restoreTimers: () => void;
  /** As threads would: a step may wait for what this process knows nothing of. */
  readonly #letDie: () => void = keepAlive();
  #inhabitants = 0;

  /** @param messages says which messages between threads are waited for. */
  constructor(seed: string, messages: Pick<ChannelWaits, "isRequest" | "isReply">) {
    this.#seed = seed;
    this.#messages = messages;
    this.network = new VirtualNetwork({
      clock: this.time.clock,
      random: seededRandom(`${seed}/network`),
      latencyMs: LATENCY_MS,
      // As on a host, where what else was begun is done by then.
      closingMs: LATENCY_MS,
    });
    this.#restoreTimers = replaceGlobalTimers({
      protocols: this.time.clock,
      others: this.time.watcherClock,
    });
  }

  /** The world, for one who watches it from outside: whose waits let time pass. */
  get watcher(): Environment {
    return { ...this.#environment("watcher"), clock: this.time.watcherClock };
  }

  /** Lets somebody live in the world; the near end of the channel is for the watcher. */
  admit(inhabitant: Inhabitant): Channel {
    this.#inhabitants += 1;
    const { near, far } = virtualChannel({
      ...this.#messages,
      beginWait: () => this.time.beginWait(),
    });
    inhabitant(far, this.#environment(`inhabitant/${this.#inhabitants}`));
    return near;
  }

  heldFiles(files: FileStore): FileStore {
    return this.time.heldFiles(files);
  }

  /** Time stands for ever, and the global timers are the host's again. */
  close(): void {
    this.time.stop();
    this.#restoreTimers();
    this.#letDie();
  }

  #environment(name: string): Environment {
    const seed = `${this.#seed}/${name}`;
    return {
      clock: this.time.clock,
      random: seededRandom(seed),
      logger: SILENT_LOGGER,
      network: this.network,
      cryptography: new NodeCryptography(seededRandom(`${seed}/keys`)),
    };
  }
}
