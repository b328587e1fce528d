import { UsageError } from "../environment/index.ts";
import { openHarness, scriptPath } from "../index.ts";
import { SystemClock } from "../platform/index.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { Interruption } from "./interruption.ts";

const PORT_MAX = 65_535;

/** What the embedded AI says, and where it listens. */
export interface ServeOptions {
  /** The name of a script that comes with Sidetone, or a path. */
  readonly script: string;
  /** As it was given; 0 lets the host choose. */
  readonly port: string;
  readonly seed: string;
  readonly write: (text: string) => void;
}

/**
 * Runs the embedded AI until it is interrupted, for bots of one's own or for SDK clients.
 *
 * @throws UsageError ERR_PORT_MALFORMED.
 */
export async function serveAi(options: ServeOptions): Promise<number> {
  const port = Number(options.port);
  if (!Number.isInteger(port) || port < 0 || port > PORT_MAX) {
    throw new UsageError(
      "ERR_PORT_MALFORMED",
      `--port ${options.port} is not a port. Choose 0 (any) to ${PORT_MAX}.`,
    );
  }
  const harness = await openHarness({ seed: options.seed });
  const ai = await harness.startEmbeddedAi({
    scriptPath: scriptPath(options.script),
    listen: { address: "127.0.0.1", port },
  });
  // Listening before it is announced: whoever reads the announcement may press at once.
  const interruption = interrupted();
  options.write(`The embedded AI listens at ${ai.url}\nAPI key: ${ai.apiKey} (valid only here)`);
  options.write("Ctrl-C ends it.");
  await interruption;
  await harness.close();
  return EXIT_CODES.passed;
}

/** Resolves with the first Ctrl-C; the second ends the process at once. */
function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    new Interruption(new SystemClock(), { onFirst: resolve, onSecond: quit }).listen();
  });
}

function quit(): never {
  process.exit(EXIT_CODES.interrupted);
}
