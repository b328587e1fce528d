import { type HostCommand, UsageError } from "../../environment/index.ts";
import type { DelayModel } from "../delay-model.ts";
import type { LinkPlan } from "../link-settings.ts";
import type { LossModel } from "../loss-model.ts";
import type { NetworkDirection, NetworkPlan } from "../profiles.ts";
import type { EndName, KernelBackend } from "./layout.ts";
import { NFT_COUNTERS } from "./router-counts.ts";

/** nft draws whole numbers below this: a millionth is the least share that it can lose. */
const SHARES = 1_000_000;
/** More packets than this wait in netem only on a network that nobody means. */
const NETEM_PACKETS_MAX = 200_000;

/**
 * What makes a router of this kind do what the plan wants; nothing for the hub, which does it itself.
 *
 * @throws UsageError ERR_IMPAIRMENT for what it cannot do.
 */
export function routerCommands(backend: KernelBackend, plan: NetworkPlan): HostCommand[] {
  if (backend === "hub") return [];
  return backend === "nft" ? nftCommands(plan) : netemCommands(plan);
}

/** What turns a middle between two ends into a router. */
export const ROUTER_COMMANDS: readonly HostCommand[] = [
  { program: "tee", args: ["/proc/sys/net/ipv4/ip_forward"], input: "1\n" },
];

/**
 * Loss by the packet filter, in place of what it lost before; its counters go on. It draws its own
 * random numbers: no seed repeats them.
 *
 * @throws UsageError ERR_IMPAIRMENT for anything but loss of packets each by itself.
 */
export function nftCommands({ sent = {}, received = {} }: NetworkPlan): HostCommand[] {
  const rules = [
    ...wayRules("sent", lossShare(sent)),
    ...wayRules("received", lossShare(received)),
  ].join("\n    ");
  const counters = NFT_COUNTERS.map((name) => `counter ${name} { }`).join("\n  ");
  const input = `table ip sidetone {
  ${counters}
  chain forward {
    type filter hook forward priority 0; policy accept;
  }
}
flush chain ip sidetone forward
table ip sidetone {
  chain forward {
    ${rules}
  }
}
`;
  return [{ program: "nft", args: ["-f", "-"], input }];
}

function wayRules(way: NetworkDirection, share: number): string[] {
  const drawn = Math.round(share * SHARES);
  const which = `iifname "${way === "sent" ? "near" : "far"}" meta l4proto tcp`;
  return [
    `${which} counter name ${way}_offered`,
    ...(drawn === 0
      ? []
      : [`${which} numgen random mod ${SHARES} < ${drawn} counter name ${way}_lost drop`]),
  ];
}

function lossShare({ loss, ...rest }: LinkPlan): number {
  const isMore = Object.values(rest).some((value) => !isNothing(value));
  if (!isMore && (loss === undefined || loss.kind === "bernoulli")) return loss?.lossRatio ?? 0;
  throw beyond("nft", "lose packets each by itself");
}

/**
 * The link by `tc netem`, in place of what was before. It draws its own random numbers: no seed
 * repeats them.
 *
 * @throws UsageError ERR_IMPAIRMENT for scripts, changes in time, and order kept in spite of jitter,
 *   which netem does not have.
 */
export function netemCommands({ sent = {}, received = {} }: NetworkPlan): HostCommand[] {
  return [netemCommand("far", sent), netemCommand("near", received)];
}

/** netem injures what leaves a device: the way to an end. */
function netemCommand(to: EndName, plan: LinkPlan): HostCommand {
  if (!isNothing(plan.changes) || plan.keepsOrder === true) {
    throw beyond("netem", "keep a plan of changes in time, nor the order in spite of jitter");
  }
  const { loss, delay, reorderRatio, duplicateRatio, corruptRatio, rate } = plan;
  const words = [
    ...(delay === undefined ? [] : delayWords(delay)),
    ...(loss === undefined ? [] : lossWords(loss)),
    ...shareWords("reorder", reorderRatio),
    ...shareWords("duplicate", duplicateRatio),
    ...shareWords("corrupt", corruptRatio),
    ...(rate === undefined ? [] : ["rate", `${Math.round(rate.bitsPerSecond)}bit`]),
  ];
  const limit = ["limit", String(NETEM_PACKETS_MAX)];
  return {
    program: "tc",
    args: ["qdisc", "replace", "dev", to, "root", "netem", ...limit, ...words],
  };
}

function delayWords({ delayMs, jitterMs, distribution, correlation }: DelayModel): string[] {
  if (jitterMs === undefined) return ["delay", `${delayMs}ms`];
  const alike = correlation === undefined ? [] : [percent(correlation)];
  // Without a table of another one, netem's is uniform.
  const shape = distribution === "uniform" ? [] : ["distribution", distribution ?? "normal"];
  return ["delay", `${delayMs}ms`, `${jitterMs}ms`, ...alike, ...shape];
}

function lossWords(loss: LossModel): string[] {
  if (loss.kind === "scripted") throw beyond("netem", "lose packets by a script");
  if (loss.kind === "bernoulli") return ["loss", "random", percent(loss.lossRatio)];
  const { toBadRatio, toGoodRatio, lossInBadRatio = 1, lossInGoodRatio = 0 } = loss;
  const figures = [toBadRatio, toGoodRatio, lossInBadRatio, lossInGoodRatio].map(percent);
  return ["loss", "gemodel", ...figures];
}

/** Said, but asking for nothing: a share of 0, no changes in time. */
function isNothing(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return value === undefined || value === false || value === 0;
}

function shareWords(word: string, ratio: number | undefined): string[] {
  return ratio === undefined || ratio === 0 ? [] : [word, percent(ratio)];
}

function percent(ratio: number): string {
  return `${Number((ratio * 100).toFixed(6))}%`;
}

function beyond(backend: string, what: string): UsageError {
  const can = backend === "nft" ? `can only ${what}` : `cannot ${what}`;
  return new UsageError(
    "ERR_IMPAIRMENT",
    `As the middle of a network, ${backend} ${can}. The hub has every model of a link: choose it.`,
    { context: { backend } },
  );
}
