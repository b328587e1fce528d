import type { Clock } from "./clock.ts";
import type { Cryptography } from "./cryptography.ts";
import type { Logger } from "./logger.ts";
import type { NamespaceHost } from "./namespaces.ts";
import type { Random } from "./random.ts";
import type { Network } from "./sockets.ts";

/** All that product code may ask of the world; `platform/` provides it, tests provide another. */
export interface Environment {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly network: Network;
  readonly cryptography: Cryptography;
  /** For networks of the kernel's own; absent where they are not wanted. */
  readonly namespaces?: NamespaceHost;
}

/** A file store: what the writers and readers of call folders and fixtures need. */
export interface FileStore {
  /** @throws UsageError ERR_FILE_MISSING naming the path. */
  read(path: string): Promise<Uint8Array>;
  readText(path: string): Promise<string>;
  /** Writes the whole file, making the folders above it. */
  write(path: string, data: Uint8Array | string): Promise<void>;
  append(path: string, text: string): Promise<void>;
  exists(path: string): Promise<boolean>;
  /** Names in a folder, sorted; an empty list where it does not exist. */
  list(path: string): Promise<readonly string[]>;
}
