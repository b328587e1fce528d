import { once } from "node:events";
import { UsageError } from "../environment/index.ts";
import { openHarness, scriptPath } from "../index.ts";
import { EXIT_CODES } from "./exit-codes.ts";

const PORT_MAX = 65_535;

/** Runs the embedded AI until it is interrupted, for bots of one's own or for SDK clients. */
export async function serveAi(options: {
  readonly script: string;
  readonly port: string;
  readonly seed: string;
  readonly write: (text: string) => void;
}): Promise<number> {
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
  options.write(`The embedded AI listens at ${ai.url}\nAPI key: ${ai.apiKey} (valid only here)`);
  options.write("Ctrl-C ends it.");
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  await harness.close();
  return EXIT_CODES.passed;
}
