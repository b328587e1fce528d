/** Tokens of one response by kind; no token is in two of them, and cached ones are input, too. */
export interface TokenDetails {
  readonly inputText: number;
  readonly inputAudio: number;
  readonly cachedText: number;
  readonly cachedAudio: number;
  readonly outputText: number;
  readonly outputAudio: number;
}

/** What tokens cost: US dollars for a million of each kind. */
export type ModelPrice = TokenDetails;

/** Prices of models, with where they were read and when. */
export interface PriceTable {
  /** Who says so; "own" for prices of the user's. */
  readonly source: string;
  /** ISO 8601 date. */
  readonly date: string;
  /** By the model's name, without "models/" and without a date at its end. */
  readonly models: Readonly<Record<string, ModelPrice>>;
}

/** What a response cost. */
export interface TokenCost {
  readonly usd: number;
  readonly prices: Pick<PriceTable, "source" | "date">;
}

const MILLION = 1_000_000;
const KINDS = [
  "inputText",
  "inputAudio",
  "cachedText",
  "cachedAudio",
  "outputText",
  "outputAudio",
] as const satisfies readonly (keyof TokenDetails)[];

function price(
  input: readonly [number, number],
  cached: readonly [number, number],
  output: readonly [number, number],
): ModelPrice {
  const [inputText, inputAudio] = input;
  const [cachedText, cachedAudio] = cached;
  const [outputText, outputAudio] = output;
  return { inputText, inputAudio, cachedText, cachedAudio, outputText, outputAudio };
}

/**
 * Prices as published, each pair text and audio. A model that is not here has no cost, only tokens:
 * a guessed price would be worse than none. Gemini's are missing because no complete published list
 * was at hand (kinds of tokens, cached ones); users give their own (`AiOptions.prices`, `--prices`).
 */
const PUBLISHED_PRICES: PriceTable = {
  source: "https://developers.openai.com/api/docs/models",
  date: "2026-11-26",
  models: {
    "gpt-realtime-2.1": price([4, 32], [0.4, 0.4], [24, 64]),
    "gpt-realtime-2.1-mini": price([0.6, 10], [0.06, 0.3], [2.4, 20]),
    "gpt-realtime-2": price([4, 32], [0.4, 0.4], [24, 64]),
    "gpt-realtime-1.5": price([4, 32], [0.4, 0.4], [16, 64]),
  },
};

/** What these tokens cost; `undefined` where the price or the kinds of tokens are not known. */
export function costOf(
  details: TokenDetails | undefined,
  model: string | undefined,
  own: Readonly<Record<string, ModelPrice>> = {},
): TokenCost | undefined {
  if (details === undefined || model === undefined) return undefined;
  const name = model.replace(/^models\//u, "").replace(/-\d{4}-\d{2}-\d{2}$/u, "");
  const ownPrice = priceNamed(own, name);
  const perMillion = ownPrice ?? priceNamed(PUBLISHED_PRICES.models, name);
  if (perMillion === undefined) return undefined;
  const usd = KINDS.reduce((sum, kind) => sum + (details[kind] * perMillion[kind]) / MILLION, 0);
  const { source, date } = PUBLISHED_PRICES;
  return { usd, prices: ownPrice === undefined ? { source, date } : { source: "own", date: "" } };
}

function priceNamed(
  models: Readonly<Record<string, ModelPrice>>,
  name: string,
): ModelPrice | undefined {
  return Object.hasOwn(models, name) ? models[name] : undefined;
}
