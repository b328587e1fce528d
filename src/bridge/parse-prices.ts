import { parseDocument } from "yaml";
import { z } from "zod";
import { UsageError } from "../environment/index.ts";
import type { ModelPrice } from "./usage.ts";

const usd = z.number().min(0).max(1_000_000);

const list = z.record(
  z.string().min(1),
  z.strictObject({
    inputText: usd,
    inputAudio: usd,
    cachedText: usd,
    cachedAudio: usd,
    outputText: usd,
    outputAudio: usd,
  }),
);

const PROBLEMS_MAX = 5;

/**
 * Reads prices of the user's own, YAML or JSON: by the model's name, US dollars for a million tokens
 * of each kind. None may be left out: a cost without one of them would be too low.
 *
 * @param source the file's name, for messages.
 * @throws UsageError ERR_PRICES_MALFORMED.
 */
export function parsePrices(text: string, source: string): Readonly<Record<string, ModelPrice>> {
  const document = parseDocument(text, { prettyErrors: false });
  const [syntax] = document.errors;
  if (syntax !== undefined) throw malformed(source, [`it is not YAML: ${syntax.message}`]);
  const parsed = list.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  throw malformed(
    source,
    parsed.error.issues.map(({ path, message }) => {
      const where = path.length === 0 ? "the list" : path.map(String).join(".");
      return `${where}: ${message}`;
    }),
  );
}

function malformed(source: string, problems: readonly string[]): UsageError {
  const shown = problems.slice(0, PROBLEMS_MAX);
  return new UsageError(
    "ERR_PRICES_MALFORMED",
    `${source} is no list of prices:\n  ${shown.join("\n  ")}\nSee docs/ai.md.`,
    { context: { source, problems: shown } },
  );
}
