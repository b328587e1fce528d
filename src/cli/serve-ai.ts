import type { EmbeddedAi } from "../call/index.ts";
import { UsageError } from "../environment/index.ts";
import { openHarness, scriptPath } from "../index.ts";
import { NodeFileStore, SystemClock } from "../platform/index.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { Interruption } from "./interruption.ts";
import { type ServingIdentity, servingIdentity, type TlsFiles } from "./serve-tls.ts";

const PORT_MAX = 65_535;
const ADDRESS = "127.0.0.1";

/** What the embedded AI says, and where it listens. */
export interface ServeOptions {
  /** The name of a script that comes with Sidetone, or a path. */
  readonly script: string;
  /** As it was given; 0 lets the host choose. */
  readonly port: string;
  /** The port for TLS; default: the one after `port`, or any. */
  readonly tlsPort: string | undefined;
  readonly tls: TlsFiles;
  /** What speaks and what understands beyond the recordings; see `EmbeddedAiOptions`. */
  readonly speech: string | undefined;
  readonly recogniser: string | undefined;
  readonly seed: string;
  readonly write: (text: string) => void;
}

/**
 * Runs the embedded AI until it is interrupted, for bots of one's own or for SDK clients.
 *
 * @throws UsageError ERR_PORT_MALFORMED, ERR_FILE_MISSING, ERR_FILE_NOT_WRITTEN, ERR_TLS_MATERIAL.
 */
export async function serveAi(options: ServeOptions): Promise<number> {
  const port = portIn("--port", options.port);
  const tlsPort = portIn("--tls-port", options.tlsPort ?? String(port === 0 ? 0 : port + 1));
  const clock = new SystemClock();
  const serving = await servingIdentity(options.tls, new NodeFileStore(), clock.wallClockMs());
  const harness = await openHarness({ seed: options.seed });
  const ai = await harness.startEmbeddedAi({
    scriptPath: scriptPath(options.script),
    speech: options.speech,
    recogniser: options.recogniser,
    listen: { address: ADDRESS, port },
    tls: { listen: { address: ADDRESS, port: tlsPort }, identity: serving.identity },
  });
  // Listening before it is announced: whoever reads the announcement may press at once.
  const interruption = interrupted(clock);
  options.write(announcement(ai, serving));
  options.write("Ctrl-C ends it.");
  await interruption;
  await harness.close();
  return EXIT_CODES.passed;
}

/** @throws UsageError ERR_PORT_MALFORMED. */
function portIn(option: string, text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= PORT_MAX) return port;
  throw new UsageError(
    "ERR_PORT_MALFORMED",
    `${option} ${text} is not a port. Choose 0 (any) to ${PORT_MAX}.`,
  );
}

function announcement(ai: EmbeddedAi, { caPath }: ServingIdentity): string {
  // By name: a certificate of one's own is rarely for an address.
  const origin = (ai.secureOrigin ?? "").replace(ADDRESS, "localhost");
  return [
    `The embedded AI listens at ${ai.url}`,
    `API key: ${ai.apiKey} (valid only here)`,
    `With TLS: ${origin}`,
    ...(caPath === undefined
      ? []
      : [`  Clients trust ${caPath} (Node: NODE_EXTRA_CA_CERTS, Python: SSL_CERT_FILE).`]),
    `  OpenAI:  OPENAI_BASE_URL=${origin}/v1`,
    `  Gemini:  GOOGLE_GEMINI_BASE_URL=${origin}, or ${ai.geminiUrl.replace("ws:", "http:")}`,
  ].join("\n");
}

/** Resolves with the first Ctrl-C; the second ends the process at once. */
function interrupted(clock: SystemClock): Promise<void> {
  return new Promise((resolve) => {
    new Interruption(clock, { onFirst: resolve, onSecond: quit }).listen();
  });
}

function quit(): never {
  process.exit(EXIT_CODES.interrupted);
}
