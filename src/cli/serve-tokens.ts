import { isLoopback, TokenDesk, type TokenDeskOptions } from "../bridge/index.ts";
import { type FileStore, type TlsIdentity, UsageError } from "../environment/index.ts";
import { createEnvironment, NodeFileStore, SystemClock, variable } from "../platform/index.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { Interruption } from "./interruption.ts";

/** How the tokens service is started, as it was given. */
export interface ServeTokensOptions {
  readonly address: string;
  readonly port: string;
  /** A file with a line "NAME SECRET" for each client; default: SIDETONE_TOKENS_SECRET. */
  readonly clients: string | undefined;
  readonly openAiUrl: string;
  readonly geminiUrl: string;
  /** Models that tokens are given for; none: all. */
  readonly models: readonly string[];
  readonly perMinute: string;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  readonly write: (text: string) => void;
}

const PORT_MAX = 65_535;
const SECRET_VARIABLE = "SIDETONE_TOKENS_SECRET";

/**
 * Hands out ephemeral tokens until it is interrupted.
 *
 * @throws UsageError ERR_PORT_MALFORMED, ERR_LIMIT_MALFORMED, ERR_FILE_MISSING, ERR_TLS_MATERIAL,
 *   ERR_TOKENS_NEED_TLS, ERR_TOKENS_SECRET, ERR_AI_KEY_MISSING; EnvironmentError ERR_PORT_IN_USE.
 */
export async function serveTokens(options: ServeTokensOptions): Promise<number> {
  const { address, write } = options;
  const files = new NodeFileStore();
  const port = wholeNumber(options.port, 0, PORT_MAX, "ERR_PORT_MALFORMED");
  const tls = await identityIn(options, files);
  if (tls === undefined && !isLoopback(address)) {
    throw new UsageError(
      "ERR_TOKENS_NEED_TLS",
      `Tokens are not handed out in the clear at ${address}. Give --tls-certificate and --tls-key, or listen at 127.0.0.1.`,
    );
  }
  const environment = createEnvironment();
  const desk = new TokenDesk(environment, await deskOptions(options, files));
  const server = await environment.network.listenHttp(
    { address, port },
    {
      ...(tls === undefined ? {} : { tls }),
      onRequest: (request) => desk.answer(request),
      onUpgrade: () => ({ accept: false, response: { status: 404 } }),
    },
  );
  const interruption = interrupted();
  const { local } = server;
  const host = local.address.includes(":") ? `[${local.address}]` : local.address;
  write(`Tokens at ${tls === undefined ? "http" : "https"}://${host}:${local.port}`);
  write("Ctrl-C ends it.");
  await interruption;
  await desk.close();
  await server.close();
  return EXIT_CODES.passed;
}

async function deskOptions(
  options: ServeTokensOptions,
  files: FileStore,
): Promise<TokenDeskOptions> {
  const openAiKey = variable("OPENAI_API_KEY");
  const geminiKey = variable("GEMINI_API_KEY");
  if (openAiKey === undefined && geminiKey === undefined) {
    throw new UsageError(
      "ERR_AI_KEY_MISSING",
      "The tokens service has no key to mint with. Set OPENAI_API_KEY or GEMINI_API_KEY.",
    );
  }
  return {
    clients: await clientsIn(options.clients, files),
    providers: {
      ...(openAiKey === undefined ? {} : { openai: { url: options.openAiUrl, apiKey: openAiKey } }),
      ...(geminiKey === undefined ? {} : { gemini: { url: options.geminiUrl, apiKey: geminiKey } }),
    },
    ...(options.models.length === 0 ? {} : { models: options.models }),
    perMinute: wholeNumber(options.perMinute, 1, 100_000, "ERR_LIMIT_MALFORMED"),
    log: options.write,
  };
}

async function clientsIn(
  path: string | undefined,
  files: FileStore,
): Promise<TokenDeskOptions["clients"]> {
  if (path === undefined) {
    const secret = variable(SECRET_VARIABLE);
    return secret === undefined ? [] : [{ name: "client", secret }];
  }
  const lines = (await files.readText(path)).split(/\r?\n/u).map((line) => line.trim());
  return lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [name = "", secret = ""] = line.split(/\s+/u);
      return { name, secret };
    });
}

async function identityIn(
  { certificate, key }: ServeTokensOptions,
  files: FileStore,
): Promise<TlsIdentity | undefined> {
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined || key === undefined) {
    throw new UsageError(
      "ERR_TLS_MATERIAL",
      "--tls-certificate and --tls-key go together. Give both, or neither.",
    );
  }
  const texts = await Promise.all([files.readText(certificate), files.readText(key)]);
  return { certificate: texts[0], key: texts[1] };
}

function wholeNumber(text: string, least: number, most: number, code: string): number {
  const value = Number(text);
  if (/^\d+$/u.test(text) && value >= least && value <= most) return value;
  throw new UsageError(code, `"${text}" must be a whole number from ${least} to ${most}.`);
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
