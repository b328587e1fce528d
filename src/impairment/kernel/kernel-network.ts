import {
  EnvironmentError,
  type HostCommand,
  type NamespaceHost,
  type NetworkNamespace,
  type SidetoneError,
  UsageError,
} from "../../environment/index.ts";
import type { PathCounts } from "../impaired-path.ts";
import { NO_PACKETS } from "../link.ts";
import type { NetworkDirection } from "../profiles.ts";
import { checkNetwork, type NetworkPlan } from "../profiles.ts";
import { namedMissing } from "./kernel-lacks.ts";
import {
  type EndName,
  endAddress,
  endCommands,
  type KernelBackend,
  middleCommands,
  underlayAddress,
} from "./layout.ts";
import { ROUTER_COMMANDS, routerCommands } from "./middle-rules.ts";
import type { HubReport, HubSettings } from "./packet-hub.ts";
import { countsCommands, parseRouterCounts } from "./router-counts.ts";
import { parseSocketStatistics, type SocketStatistics } from "./socket-statistics.ts";
import type { FlowStall, StreamWrite } from "./stall-watch.ts";
import type { TcpSample } from "./tcp-counters.ts";

/** What a network of the kernel's own TCP is made of. */
export interface KernelNetworkOptions {
  /** As the near end sees it. */
  readonly plan?: NetworkPlan;
  /** Gives the packets their fate again, by their order in each direction; of the hub alone. */
  readonly seed: string;
  /** Default "hub": every model of a link. */
  readonly backend?: KernelBackend;
  /** Of both ends; default "cubic". */
  readonly congestionControl?: string;
  /**
   * Whether the hub lets packets go to some microseconds, which costs most of a processor; else to
   * half a millisecond, either way.
   */
  readonly isPunctual?: boolean;
}

/** How the kernel does TCP here: what figures depend on beside loss and delay. */
export interface KernelTcpFacts {
  /** E.g. "6.18.44". */
  readonly release: string;
  readonly congestionControl: string;
  /** Values of /proc/sys/net/ipv4 as they are in the near namespace, e.g. tcp_sack: "1". */
  readonly sysctls: Readonly<Record<string, string>>;
}

/** What the middle is told of a program's writing. */
export interface HubWrite extends StreamWrite {
  readonly direction: NetworkDirection;
}

/** What the middle tells by itself. */
export type HubEvent =
  | { readonly kind: "counts"; readonly counts: PathCounts }
  | { readonly kind: "tcp"; readonly end: EndName; readonly sample: TcpSample }
  | { readonly kind: "stall"; readonly direction: NetworkDirection; readonly stall: FlowStall };

/** A stall's causes are looked for in the last seconds. */
const SAMPLES_MAX = 2000;

const SYSCTLS = [
  "tcp_slow_start_after_idle",
  "tcp_sack",
  "tcp_recovery",
  "tcp_early_retrans",
  "tcp_rto_min_us",
  "tcp_timestamps",
  "tcp_ecn",
  "tcp_notsent_lowat",
  "tcp_rmem",
  "tcp_wmem",
] as const;

/**
 * Two network namespaces whose sockets are the kernel's own, and an injured network between them.
 * It is set up and torn down by itself, touches no interface of the host, and leaves nothing behind,
 * however this process ends.
 */
export class KernelNetwork {
  /** The bridge's end. */
  readonly near: NetworkNamespace;
  /** Its AI's end. */
  readonly far: NetworkNamespace;
  readonly backend: KernelBackend;
  readonly congestionControl: string;
  /** Called once where one of its processes has ended without `close`. */
  onGone: ((error: SidetoneError) => void) | undefined;
  /** Called for what the kernel's TCP counted at an end, as `samples`. */
  onSample: ((end: EndName, sample: TcpSample) => void) | undefined;
  /** Called for each stall that the hub saw, as it ends. */
  onStall: ((direction: NetworkDirection, stall: FlowStall) => void) | undefined;
  readonly #middle: NetworkNamespace;
  readonly #isPunctual: boolean;
  #plan: NetworkPlan;
  readonly #samples: Record<EndName, TcpSample[]> = { near: [], far: [] };
  #counts: PathCounts = { sent: NO_PACKETS, received: NO_PACKETS };

  /**
   * @throws EnvironmentError ERR_NAMESPACES, ERR_NAMESPACE_TOOL, ERR_NAMESPACE_COMMAND,
   *   ERR_KERNEL_LACKS; UsageError ERR_IMPAIRMENT, ERR_CONGESTION_CONTROL.
   */
  static async open(host: NamespaceHost, options: KernelNetworkOptions): Promise<KernelNetwork> {
    const { plan = {}, seed, backend = "hub" } = options;
    checkNetwork(plan);
    routerCommands(backend, plan);
    const opened: NetworkNamespace[] = [];
    try {
      const middle = await host.open();
      opened.push(middle);
      const ends = await Promise.allSettled([host.open(middle), host.open(middle)]);
      for (const end of ends) if (end.status === "fulfilled") opened.push(end.value);
      const [, near, far] = opened;
      if (near === undefined || far === undefined) throw firstReason(ends);
      const network = new KernelNetwork({ middle, near, far }, options);
      await network.#setUp(seed);
      return network;
    } catch (error) {
      await Promise.all(opened.map((namespace) => namespace.close()));
      throw error;
    }
  }

  private constructor(
    { middle, near, far }: Readonly<Record<EndName | "middle", NetworkNamespace>>,
    {
      backend = "hub",
      congestionControl = "cubic",
      plan = {},
      isPunctual = false,
    }: KernelNetworkOptions,
  ) {
    this.#plan = plan;
    this.#isPunctual = isPunctual;
    this.#middle = middle;
    this.near = near;
    this.far = far;
    this.backend = backend;
    this.congestionControl = congestionControl;
    middle.onEvent = (event) => this.#hear(event as HubEvent);
    let isGone = false;
    for (const namespace of [middle, near, far]) {
      namespace.onGone = (error) => {
        if (!isGone) this.onGone?.(error);
        isGone = true;
      };
    }
  }

  /** What became of the packets: of a hub a tenth of a second ago or less, else at `readCounts`. */
  get counts(): PathCounts {
    return this.#counts;
  }

  /** What the kernel's TCP counted at each end, each time that it counted something; the latest. */
  get samples(): Readonly<Record<EndName, readonly TcpSample[]>> {
    return this.#samples;
  }

  /** At which the sockets of an end are found by the other. */
  address(end: EndName): string {
    return endAddress(end, this.backend);
  }

  /**
   * Another network from now on, in the directions that are named.
   * @throws UsageError ERR_IMPAIRMENT.
   */
  async change(plan: NetworkPlan): Promise<void> {
    checkNetwork(plan);
    const whole = { ...this.#plan, ...plan };
    const commands = routerCommands(this.backend, whole);
    this.#plan = whole;
    if (this.backend === "hub") await this.#middle.ask("changeHub", plan);
    else await runAll(this.#middle, commands);
  }

  /** Asks a router for its counts; a hub tells them by itself. */
  async readCounts(): Promise<void> {
    const { backend } = this;
    if (backend === "hub") return;
    const commands = countsCommands(backend);
    const printed = await Promise.all(commands.map((command) => this.#middle.run(command)));
    this.#counts = parseRouterCounts(backend, printed);
  }

  /** What became of the packets, and how late the hub was; `undefined` without a hub. */
  async report(): Promise<HubReport | undefined> {
    if (this.backend !== "hub") return undefined;
    return (await this.#middle.ask("readHub", undefined)) as HubReport;
  }

  /**
   * Tells the hub that a program wrote at the near end (`sent`) or the far one: bytes that wait in
   * the sender before the kernel sends them are overdue, too.
   */
  noteWritten(write: HubWrite): void {
    if (this.backend === "hub") this.#middle.tell("noteWritten", write);
  }

  /** What the kernel knows of the TCP sockets of an end (TCP_INFO). */
  async sockets(end: EndName): Promise<SocketStatistics[]> {
    return parseSocketStatistics(await this[end].run({ program: "ss", args: ["-tinmO"] }));
  }

  async facts(): Promise<KernelTcpFacts> {
    const release = await this.near.read("/proc/sys/kernel/osrelease");
    const values = await Promise.all(
      SYSCTLS.map(async (name) => [name, await this.#sysctl(name)] as const),
    );
    return {
      release: release.trim(),
      congestionControl: this.congestionControl,
      sysctls: Object.fromEntries(values.filter(([, value]) => value !== "")),
    };
  }

  /** Ends its processes; the kernel removes the rest with them. */
  async close(): Promise<void> {
    await Promise.all([this.near, this.far, this.#middle].map((namespace) => namespace.close()));
  }

  async #setUp(seed: string): Promise<void> {
    const { near, far, backend, congestionControl } = this;
    const middle = this.#middle;
    await this.#requireCongestionControl();
    await runAll(middle, middleCommands({ near: near.pid, far: far.pid }));
    await Promise.all([
      runAll(near, endCommands("near", backend, congestionControl)),
      runAll(far, endCommands("far", backend, congestionControl)),
    ]);
    if (backend === "hub") {
      const addresses = { near: underlayAddress("near"), far: underlayAddress("far") };
      const settings = { plan: this.#plan, seed, ...addresses, isPunctual: this.#isPunctual };
      await middle.ask("openHub", settings satisfies HubSettings);
    } else {
      await runAll(middle, [...ROUTER_COMMANDS, ...routerCommands(backend, this.#plan)]);
    }
    await middle.ask("watchTcp", { near: near.pid, far: far.pid });
  }

  #keep(end: EndName, sample: TcpSample): void {
    const samples = this.#samples[end];
    samples.push(sample);
    if (samples.length > SAMPLES_MAX) samples.splice(0, SAMPLES_MAX / 2);
    this.onSample?.(end, sample);
  }

  #hear(event: HubEvent): void {
    if (event.kind === "counts") this.#counts = event.counts;
    else if (event.kind === "tcp") this.#keep(event.end, event.sample);
    else this.onStall?.(event.direction, event.stall);
  }

  async #requireCongestionControl(): Promise<void> {
    const available = (await this.#sysctl("tcp_available_congestion_control")).split(/\s+/u);
    if (available.includes(this.congestionControl)) return;
    throw new UsageError(
      "ERR_CONGESTION_CONTROL",
      `This kernel has no congestion control "${this.congestionControl}". It has: ` +
        `${available.join(", ")}. Others are modules, which root may load (modprobe ` +
        `tcp_${this.congestionControl}).`,
      { context: { available } },
    );
  }

  /** Empty where this kernel has no such setting. */
  async #sysctl(name: string): Promise<string> {
    try {
      return (await this.near.read(`/proc/sys/net/ipv4/${name}`)).trim().replaceAll("\t", " ");
    } catch (error) {
      if (error instanceof EnvironmentError) return "";
      throw error;
    }
  }
}

async function runAll(
  namespace: NetworkNamespace,
  commands: readonly HostCommand[],
): Promise<void> {
  for (const command of commands) {
    try {
      // Each builds on the one before.
      // oxlint-disable-next-line no-await-in-loop
      await namespace.run(command);
    } catch (error) {
      throw namedMissing(command, error);
    }
  }
}

function firstReason(outcomes: readonly PromiseSettledResult<unknown>[]): unknown {
  return outcomes.find((outcome) => outcome.status === "rejected")?.reason;
}
