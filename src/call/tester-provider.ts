import { UsageError } from "../environment/index.ts";
import type { TesterOptions, TokenOptions } from "./agent-options.ts";

/** Where providers are reached, what they are asked for, and which variable holds the key. */
const PROVIDERS = {
  openai: {
    url: "wss://api.openai.com/v1/realtime",
    model: "gpt-realtime-2.1",
    keyVariable: "OPENAI_API_KEY",
  },
  gemini: {
    url: "wss://generativelanguage.googleapis.com",
    model: "gemini-3.8-live",
    keyVariable: "GEMINI_API_KEY",
  },
} as const;

const SECRET_VARIABLE = "SIDETONE_TOKENS_SECRET";

/**
 * The provider whose AI plays testers: SIDETONE_TESTER is "openai" or "gemini", the key is in
 * OPENAI_API_KEY or GEMINI_API_KEY; SIDETONE_TESTER_MODEL and SIDETONE_TESTER_URL change what is
 * asked for and where. With SIDETONE_TESTER_TOKENS, the address of a tokens service, no key is needed
 * but that service's secret, in SIDETONE_TOKENS_SECRET. `undefined`: the embedded AI plays them.
 *
 * @param variable looks an environment variable up; one that is empty counts as not set.
 * @throws UsageError ERR_AI_PROVIDER_UNKNOWN, ERR_AI_KEY_MISSING, ERR_TOKENS_SECRET.
 */
export function testerProviderIn(
  variable: (name: string) => string | undefined,
): TesterOptions["ai"] | undefined {
  const set = (name: string): string | undefined => variable(name) || undefined;
  const name = set("SIDETONE_TESTER") ?? "embedded";
  if (name === "embedded") return undefined;
  if (name !== "openai" && name !== "gemini") {
    throw new UsageError(
      "ERR_AI_PROVIDER_UNKNOWN",
      `SIDETONE_TESTER is "${name}". Use embedded, openai or gemini.`,
    );
  }
  const { url, model, keyVariable } = PROVIDERS[name];
  const asked: Pick<TesterOptions["ai"], "provider" | "url" | "model"> = {
    provider: name,
    url: set("SIDETONE_TESTER_URL") ?? url,
    model: set("SIDETONE_TESTER_MODEL") ?? model,
  };
  const service = set("SIDETONE_TESTER_TOKENS");
  if (service !== undefined) return { ...asked, tokens: tokensFrom(service, set(SECRET_VARIABLE)) };
  const apiKey = set(keyVariable);
  if (apiKey !== undefined) return { ...asked, apiKey };
  throw new UsageError(
    "ERR_AI_KEY_MISSING",
    `SIDETONE_TESTER asks for ${name}, but ${keyVariable} holds no key, and SIDETONE_TESTER_TOKENS names no tokens service.`,
  );
}

function tokensFrom(url: string, secret: string | undefined): TokenOptions {
  if (secret !== undefined) return { from: "service", url, secret };
  throw new UsageError(
    "ERR_TOKENS_SECRET",
    `SIDETONE_TESTER_TOKENS names a tokens service, but ${SECRET_VARIABLE} holds no secret for it.`,
  );
}
