import { after, type Clock, UsageError } from "../environment/index.ts";
import {
  DatagramRelay,
  describeNetwork,
  ImpairedPath,
  type NetworkPlan,
  type RelayPortState,
} from "../impairment/index.ts";
import { createEnvironment, NodeFileStore, SystemClock } from "../platform/index.ts";
import { DialPolicy } from "../sip/index.ts";
import { EXIT_CODES } from "./exit-codes.ts";
import { Interruption } from "./interruption.ts";
import { relayNetwork } from "./relay-plan.ts";
import { relayPorts, type WantedPort } from "./relay-ports.ts";

/** What is passed on, and over which network; as it was given. */
export interface RelayOptions {
  readonly ports: readonly string[];
  readonly rtcp: boolean;
  /** The address to listen on. */
  readonly address: string;
  readonly network: string | undefined;
  /** Path of a file. */
  readonly plan: string | undefined;
  readonly out: string | undefined;
  readonly back: string | undefined;
  readonly seed: string;
  /** Seconds between counts. */
  readonly every: string | undefined;
  /** Path of a file that the counts are left in. */
  readonly counts: string | undefined;
  readonly json: boolean;
  readonly allow: readonly string[];
  readonly write: (text: string) => void;
}

/** Prints the counts, as the end does. SIGUSR1 is Node's own. */
const COUNTS_SIGNAL = "SIGUSR2";

/**
 * Passes UDP datagrams on between two foreign peers, through an injured network, until interrupted.
 *
 * @throws UsageError as `relayNetwork` and `relayPorts`; ERR_TARGET_NOT_ALLOWED,
 *   ERR_LIMIT_MALFORMED, ERR_FILE_MISSING; EnvironmentError ERR_PORT_IN_USE and its like.
 */
export async function relay(options: RelayOptions): Promise<number> {
  const wanted = relayPorts(options.ports, options.rtcp);
  const policy = new DialPolicy(options.allow);
  for (const { target } of wanted) policy.require(uriOf(target.address));
  const everyMs = intervalMs(options.every);
  const plan = await planOf(options);
  const environment = createEnvironment({ seed: options.seed });
  const { clock, random, network } = environment;
  const path = new ImpairedPath(clock, random, plan);
  const served = new DatagramRelay(path, await bindAll(network, options.address, wanted));
  const report = (): Promise<void> => reportCounts(served, plan, options);

  // Listening before it is announced: whoever reads the announcement may press at once.
  const interruption = interrupted();
  process.on(COUNTS_SIGNAL, () => void report());
  options.write(announcement(served, plan, options));
  const stopTicking = tick(clock, everyMs, report);
  await interruption;
  stopTicking();
  await report();
  await served.close();
  return EXIT_CODES.passed;
}

type Bindable = ReturnType<typeof createEnvironment>["network"];

async function bindAll(
  network: Bindable,
  address: string,
  wanted: readonly WantedPort[],
): Promise<ConstructorParameters<typeof DatagramRelay>[1]> {
  const ports = wanted.map(async ({ nearPort, farPort, target }) => ({
    near: await network.bindDatagram({ address, port: nearPort }),
    far: await network.bindDatagram({ address, port: farPort }),
    target,
  }));
  return Promise.all(ports);
}

async function planOf({ plan, ...options }: RelayOptions): Promise<NetworkPlan> {
  const file =
    plan === undefined ? undefined : { path: plan, text: await new NodeFileStore().readText(plan) };
  return relayNetwork({ ...options, plan: file });
}

function announcement(served: DatagramRelay, plan: NetworkPlan, options: RelayOptions): string {
  const ports = served.ports.map(
    ({ near, far, target }) =>
      `  ${addressText(near)} → ${addressText(target)}, and back from ${addressText(far)}`,
  );
  return [
    `Relay · seed ${options.seed} · ${describeNetwork(plan)}`,
    ...ports,
    `Ctrl-C ends it; ${COUNTS_SIGNAL} (process ${process.pid}) prints its counts.`,
  ].join("\n");
}

async function reportCounts(
  served: DatagramRelay,
  plan: NetworkPlan,
  { seed, json, counts: path, write }: RelayOptions,
): Promise<void> {
  const { counts, ports } = served;
  const state = { seed, network: describeNetwork(plan), plan, ...counts, ports };
  if (path !== undefined) {
    await new NodeFileStore().write(path, `${JSON.stringify(state, undefined, 2)}\n`);
  }
  write(json ? JSON.stringify(state) : countsText(counts, ports));
}

function countsText(
  { sent, received }: DatagramRelay["counts"],
  ports: readonly RelayPortState[],
): string {
  const network = (["towards the targets", "back"] as const).map((way) => {
    const fates = way === "back" ? received : sent;
    const { offered, delivered, lost, overflowed, duplicated, corrupted, reordered } = fates;
    return `  ${way}: ${offered} injured: ${delivered} delivered, ${lost} lost, ${overflowed} overflowed, ${duplicated} twice, ${corrupted} corrupted, ${reordered} out of order`;
  });
  const each = ports.map(
    (port) =>
      `  ${addressText(port.near)}: ${port.sent.packets} towards ${addressText(port.target)}, ${port.received.packets} back (${port.received.homeless} to nobody), ${port.peerChanges} changes of peers, ${port.socketErrors} refused by the host`,
  );
  return ["Packets", ...each, ...network].join("\n");
}

/** Seconds of `--every`; `undefined`: only at the end. @throws UsageError ERR_LIMIT_MALFORMED. */
function intervalMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds >= 0.1) return seconds * 1000;
  throw new UsageError(
    "ERR_LIMIT_MALFORMED",
    `--every must be at least 0.1 seconds, not "${text}".`,
  );
}

function tick(clock: Clock, everyMs: number | undefined, report: () => Promise<void>): () => void {
  if (everyMs === undefined) return () => {};
  let timer = clock.setTimer(after(clock.now(), everyMs), next);
  function next(this: void): void {
    void report();
    timer = clock.setTimer(after(clock.now(), everyMs ?? 0), next);
  }
  return () => timer.cancel();
}

function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    new Interruption(new SystemClock(), { onFirst: resolve, onSecond: quit }).listen();
  });
}

function quit(): never {
  process.exit(EXIT_CODES.interrupted);
}

function uriOf(address: string): string {
  return `sip:${address.includes(":") ? `[${address}]` : address}`;
}

function addressText({ address, port }: RelayPortState["near"]): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
