import { UdpPath } from "../ai-udp/index.ts";
import type { AiSession } from "../bridge/index.ts";
import type { Clock, Environment, Instant, SidetoneError } from "../environment/index.ts";
import {
  type AiPath,
  type AiTransport,
  describeNetwork,
  type KernelBackend,
  type NetworkPlan,
} from "../impairment/index.ts";
import type { FactDraft } from "../timeline/index.ts";
import type { AiOptions } from "./agent-options.ts";
import { openAiPath } from "./open-ai-path.ts";

/** The injured network between one call's bridge and its AI, and what the timeline knows of it. */
export class AiLeg {
  /** Called once where the network between bridge and AI has broken down, which only we know. */
  onFailed: ((error: SidetoneError) => void) | undefined;
  readonly #path: AiPath;
  readonly #clock: Clock;
  readonly #record: (fact: FactDraft) => void;

  constructor(path: AiPath, clock: Clock, record: (fact: FactDraft) => void) {
    this.#path = path;
    this.#clock = clock;
    this.#record = record;
    path.onStall = (stall) => record({ kind: "aiStall", transport: path.transport, ...stall });
    path.onTcpState = (state) => record({ kind: "aiTcp", transport: path.transport, ...state });
    path.onFailed = (error) => this.onFailed?.(error);
  }

  /**
   * Opens the path that the options ask for; the world is then to be seen through `environment`.
   * @throws as `openAiPath`.
   */
  static async open(
    environment: Environment,
    { url, network }: AiOptions,
    record: (fact: FactDraft) => void,
  ): Promise<{ readonly environment: Environment; readonly leg: AiLeg | undefined }> {
    if (network === undefined) return { environment, leg: undefined };
    const path = await openAiPath(environment, url, network);
    const leg = new AiLeg(path, environment.clock, record);
    const { sent, received } = network;
    leg.#recordPlan({
      ...(sent === undefined ? {} : { sent }),
      ...(received === undefined ? {} : { received }),
    });
    return { environment: { ...environment, network: path.network }, leg };
  }

  /** The session as it is seen over this leg. */
  through(session: AiSession): AiSession {
    return this.#path instanceof UdpPath ? this.#path.through(session) : session;
  }

  /** @throws UsageError ERR_IMPAIRMENT. */
  change(plan: NetworkPlan): void {
    this.#path.change(plan);
    this.#recordPlan(plan);
  }

  /** Says what became of its packets, and ends it. */
  close(at: Instant): void {
    this.#record({ kind: "networkCounts", leg: "ai", ...this.#carrier, at, ...this.#path.counts });
    void this.#path.close();
  }

  #recordPlan(plan: NetworkPlan): void {
    const description = describeNetwork(plan);
    const at = this.#clock.now();
    this.#record({ kind: "networkChanged", leg: "ai", ...this.#carrier, at, description, ...plan });
  }

  get #carrier(): { readonly transport: AiTransport; readonly backend?: KernelBackend } {
    const { transport, backend } = this.#path;
    return { transport, ...(backend === undefined ? {} : { backend }) };
  }
}
