import { parseDocument } from "yaml";
import { z } from "zod";
import { UsageError } from "../environment/index.ts";
import {
  burstyLoss,
  checkNetwork,
  type LinkPlan,
  type LossModel,
  type NetworkPlan,
  networkProfile,
} from "../impairment/index.ts";

/** What a relay's network is named by, in the order in which one takes the place of the other. */
export interface RelayNetworkOptions {
  /** A network that has a name. */
  readonly network: string | undefined;
  /** A file's text with `sent` and `received`, and its path. */
  readonly plan: { readonly text: string; readonly path: string } | undefined;
  /** Figures of one direction: "loss=5%,burst=2,delay=40ms,jitter=8ms". */
  readonly out: string | undefined;
  readonly back: string | undefined;
}

const ratio = z.number();
const lossModel = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("bernoulli"), lossRatio: ratio }),
  z.strictObject({
    kind: z.literal("gilbert-elliott"),
    toBadRatio: ratio,
    toGoodRatio: ratio,
    lossInBadRatio: ratio.optional(),
    lossInGoodRatio: ratio.optional(),
  }),
  z.strictObject({
    kind: z.literal("scripted"),
    lost: z.array(z.tuple([z.number(), z.number()])),
  }),
]);
const settings = {
  loss: lossModel.optional(),
  delay: z
    .strictObject({
      delayMs: z.number(),
      jitterMs: z.number().optional(),
      distribution: z.enum(["uniform", "normal", "pareto"]).optional(),
      correlation: z.number().optional(),
    })
    .optional(),
  reorderRatio: ratio.optional(),
  duplicateRatio: ratio.optional(),
  corruptRatio: ratio.optional(),
  rate: z
    .strictObject({ bitsPerSecond: z.number(), queueBytesMax: z.number().optional() })
    .optional(),
  keepsOrder: z.boolean().optional(),
};
const link = z.strictObject({
  ...settings,
  changes: z
    .array(
      z.strictObject({
        atMs: z.number(),
        durationMs: z.number().optional(),
        settings: z.strictObject(settings),
      }),
    )
    .optional(),
});
const network = z.strictObject({ sent: link.optional(), received: link.optional() });

/**
 * The network of a relay: a named one, then the directions of a file, then figures.
 * @throws UsageError ERR_NETWORK_UNKNOWN, ERR_IMPAIRMENT, ERR_RELAY_PLAN, ERR_RELAY_FIGURES.
 */
export function relayNetwork(options: RelayNetworkOptions): NetworkPlan {
  const named = options.network === undefined ? {} : networkProfile(options.network);
  const { sent, received } = { ...named, ...planIn(options.plan) };
  const out = directionOf("--out", sent, options.out);
  const back = directionOf("--back", received, options.back);
  const plan = {
    ...(out === undefined ? {} : { sent: out }),
    ...(back === undefined ? {} : { received: back }),
  };
  checkNetwork(plan);
  return plan;
}

function planIn(file: RelayNetworkOptions["plan"]): NetworkPlan {
  if (file === undefined) return {};
  const document = parseDocument(file.text);
  const problem = document.errors[0]?.message.split("\n")[0];
  const parsed = problem === undefined ? network.safeParse(document.toJS()) : undefined;
  // What is absent is left out, not undefined: the schema has no other kind.
  if (parsed?.success === true) return parsed.data as NetworkPlan;
  const issue = parsed?.error.issues[0];
  const where = issue === undefined ? "" : `${issue.path.join(".") || "the file"}: `;
  throw new UsageError(
    "ERR_RELAY_PLAN",
    `${file.path} is no plan of a network: ${where}${issue?.message ?? problem ?? "it is empty"}. See docs/network.md.`,
  );
}

function directionOf(
  option: string,
  known: LinkPlan | undefined,
  figures: string | undefined,
): LinkPlan | undefined {
  if (figures === undefined) return known;
  return { ...known, ...figuresIn(option, figures) };
}

/** Unit and what a figure stands for. */
const FIGURES: Readonly<Record<string, { readonly unit: string; readonly factor: number }>> = {
  loss: { unit: "%", factor: 0.01 },
  burst: { unit: "", factor: 1 },
  delay: { unit: "ms", factor: 1 },
  jitter: { unit: "ms", factor: 1 },
  overtaking: { unit: "%", factor: 0.01 },
  twice: { unit: "%", factor: 0.01 },
  corrupted: { unit: "%", factor: 0.01 },
  rate: { unit: "kbit", factor: 1000 },
};

function figuresIn(option: string, text: string): LinkPlan {
  const given = new Map<string, number>();
  for (const part of text.split(",")) {
    const [name = "", value = ""] = part.trim().split("=");
    const figure = FIGURES[name];
    const number = figure === undefined ? undefined : amount(value, figure.unit);
    if (figure === undefined || number === undefined) throw notAFigure(option, part.trim());
    given.set(name, number * figure.factor);
  }
  if (given.has("burst") && !given.has("loss")) throw lonely(option, "burst", "loss");
  if (given.has("jitter") && !given.has("delay")) throw lonely(option, "jitter", "delay");
  return planOf(given);
}

function planOf(given: ReadonlyMap<string, number>): LinkPlan {
  const [lossRatio, delayMs, rate] = ["loss", "delay", "rate"].map((name) => given.get(name));
  const jitterMs = given.get("jitter");
  return {
    ...(lossRatio === undefined ? {} : { loss: lossOf(lossRatio, given.get("burst")) }),
    ...(delayMs === undefined
      ? {}
      : { delay: { delayMs, ...(jitterMs === undefined ? {} : { jitterMs }) } }),
    ...ratioOf("reorderRatio", given.get("overtaking")),
    ...ratioOf("duplicateRatio", given.get("twice")),
    ...ratioOf("corruptRatio", given.get("corrupted")),
    ...(rate === undefined ? {} : { rate: { bitsPerSecond: rate } }),
  };
}

function amount(value: string, unit: string): number | undefined {
  if (!value.endsWith(unit)) return undefined;
  const digits = value.slice(0, value.length - unit.length);
  return /^-?\d+(?:\.\d+)?$/u.test(digits) ? Number(digits) : undefined;
}

function lossOf(lossRatio: number, burst: number | undefined): LossModel {
  return burst === undefined ? { kind: "bernoulli", lossRatio } : burstyLoss(lossRatio, burst);
}

function ratioOf(name: keyof LinkPlan, value: number | undefined): LinkPlan {
  return value === undefined ? {} : { [name]: value };
}

function notAFigure(option: string, part: string): UsageError {
  const known = Object.entries(FIGURES)
    .map(([name, { unit }]) => `${name}=1${unit}`)
    .join(", ");
  return new UsageError(
    "ERR_RELAY_FIGURES",
    `${option}: "${part}" is no figure of a network. There are: ${known}.`,
  );
}

function lonely(option: string, name: string, other: string): UsageError {
  return new UsageError("ERR_RELAY_FIGURES", `${option} names ${name} without ${other}.`);
}
