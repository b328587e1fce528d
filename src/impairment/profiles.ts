import { type Random, seededRandom, UsageError } from "../environment/index.ts";
import { checkPlan, type LinkPlan } from "./link-settings.ts";
import { burstyLoss } from "./loss-model.ts";

/** Both directions of a network, as the side behind it sees them. */
export interface NetworkPlan {
  readonly sent?: LinkPlan;
  readonly received?: LinkPlan;
}

/** As a side sees it. */
export type NetworkDirection = keyof NetworkPlan;

/** @throws UsageError ERR_IMPAIRMENT naming the figure that cannot be. */
export function checkNetwork({ sent, received }: NetworkPlan): void {
  if (sent !== undefined) checkPlan(sent);
  if (received !== undefined) checkPlan(received);
}

/** A network that has a name. */
export interface NetworkProfile extends NetworkPlan {
  readonly name: string;
  /** What it stands for, and where its figures come from. */
  readonly about: string;
}

const KBIT = 1000;
const MBIT = 1_000_000;

/** The same both ways. */
const bothWays = (plan: LinkPlan): NetworkPlan => ({ sent: plan, received: plan });

const PROFILES: readonly NetworkProfile[] = [
  {
    name: "good Wi-Fi",
    about:
      "A quiet access point: 3 ms ± 1, 0.1 % lost. Ours, in the range that ITU-T G.1050 (2007) " +
      "gives a well-managed network (loss to 0.05 %, jitter to 50 ms), a little worse.",
    ...bothWays({
      delay: { delayMs: 3, jitterMs: 1, distribution: "normal" },
      loss: { kind: "bernoulli", lossRatio: 0.001 },
    }),
  },
  {
    name: "congested Wi-Fi",
    about:
      "Many stations on one channel: 15 ms with a long tail, 2 % lost in bursts of 3. Ours; the " +
      "loss is the most that G.1050 (2007) gives a partially managed network.",
    ...bothWays({
      delay: { delayMs: 15, jitterMs: 12, distribution: "pareto", correlation: 0.3 },
      loss: burstyLoss(0.02, 3),
      keepsOrder: true,
    }),
  },
  {
    name: "LTE",
    about:
      "WebPageTest's LTE: 12 Mbit/s, 70 ms there and back. Its jitter (8 ms) and loss (0.3 % in " +
      "bursts of 2) are ours; radio links keep the order.",
    ...bothWays({
      delay: { delayMs: 35, jitterMs: 8, distribution: "normal", correlation: 0.5 },
      loss: burstyLoss(0.003, 2),
      rate: { bitsPerSecond: 12 * MBIT },
      keepsOrder: true,
    }),
  },
  {
    name: "3G",
    about:
      "WebPageTest's 3G: 1.6 Mbit/s down, 768 kbit/s up, 300 ms there and back (150 ms each way). " +
      "Its jitter (20 ms) and loss (1 % in bursts of 2) are ours.",
    sent: {
      delay: { delayMs: 150, jitterMs: 20, distribution: "normal", correlation: 0.5 },
      loss: burstyLoss(0.01, 2),
      rate: { bitsPerSecond: 768 * KBIT },
      keepsOrder: true,
    },
    received: {
      delay: { delayMs: 150, jitterMs: 20, distribution: "normal", correlation: 0.5 },
      loss: burstyLoss(0.01, 2),
      rate: { bitsPerSecond: 1600 * KBIT },
      keepsOrder: true,
    },
  },
  {
    name: "satellite",
    about:
      "A geostationary one: 280 ms each way (RFC 2488 §2: at most 279 ms up and down), 0.5 % lost. " +
      "The loss, the jitter (5 ms) and the rate (2 Mbit/s) are ours.",
    ...bothWays({
      delay: { delayMs: 280, jitterMs: 5, distribution: "normal" },
      loss: { kind: "bernoulli", lossRatio: 0.005 },
      rate: { bitsPerSecond: 2 * MBIT },
      keepsOrder: true,
    }),
  },
  {
    name: "transatlantic",
    about:
      "London to New York over a carrier's backbone: 45 ms each way (carriers promise at most 90 ms " +
      "there and back), 0.1 % lost. The jitter (2 ms) is ours.",
    ...bothWays({
      delay: { delayMs: 45, jitterMs: 2, distribution: "normal" },
      loss: { kind: "bernoulli", lossRatio: 0.001 },
    }),
  },
  {
    name: "unmanaged Internet",
    about:
      "In the spirit of G.1050 (2007), profile C: 100 ms with a long tail, 5 % lost in bursts of 4, " +
      "0.5 % twice. One point in its wide ranges, ours.",
    ...bothWays({
      delay: { delayMs: 100, jitterMs: 40, distribution: "pareto", correlation: 0.2 },
      loss: burstyLoss(0.05, 4),
      duplicateRatio: 0.005,
    }),
  },
];

/** All of them, in the order of the documentation. */
export function networkProfiles(): readonly NetworkProfile[] {
  return PROFILES;
}

/**
 * The network with this name, whatever its case.
 * @throws UsageError ERR_NETWORK_UNKNOWN naming those that there are.
 */
export function networkProfile(name: string): NetworkProfile {
  const wanted = name.toLowerCase();
  const found = PROFILES.find((profile) => profile.name.toLowerCase() === wanted);
  if (found !== undefined) return found;
  throw new UsageError(
    "ERR_NETWORK_UNKNOWN",
    `There is no network "${name}". There are: ${PROFILES.map((each) => each.name).join(", ")}.`,
  );
}

/**
 * What decides the fate of a direction's packets: of the same seed and plan, the nth packet offered
 * is lost over every transport or over none.
 */
export function fateOf(seed: string, direction: NetworkDirection): Random {
  return seededRandom(`${seed}/${direction}`);
}
