import type { AiSession } from "../bridge/index.ts";
import { loadCodecs } from "../codec/index.ts";
import type { Clock, Network } from "../environment/index.ts";
import {
  type AiNetwork,
  type AiPath,
  type AiPathCounts,
  checkNetwork,
  fateOf,
  Link,
  type NetworkPlan,
} from "../impairment/index.ts";
import type { SentPacket } from "./audio-sender.ts";
import { UdpAiSession } from "./udp-ai-session.ts";

/** What a path is made of. */
export interface UdpPathParts {
  readonly clock: Clock;
  readonly network: Network;
  readonly seed: string;
  readonly plan: AiNetwork;
}

/**
 * The AI's leg as UDP, standing for WebRTC to the model: sessions seen `through` it have their audio
 * carried as RTP packets of Opus over the injured network. Their WebSocket itself goes beside it.
 */
export async function openUdpPath(parts: UdpPathParts): Promise<UdpPath> {
  await loadCodecs(["opus"]);
  return new UdpPath(parts);
}

/** See `openUdpPath`; it carries one session. */
export class UdpPath implements AiPath {
  readonly transport = "udp";
  /** Nothing waits for a lost packet, so nothing stalls. */
  onStall: AiPath["onStall"];
  onFailed: AiPath["onFailed"];
  readonly network: Network;
  readonly #parts: UdpPathParts;
  readonly #sent: Link<SentPacket>;
  readonly #received: Link<SentPacket>;
  #plan: NetworkPlan;
  #session: UdpAiSession | undefined;

  constructor(parts: UdpPathParts) {
    const { plan, seed, network } = parts;
    this.#parts = parts;
    this.#plan = plan;
    this.network = network;
    this.#sent = new Link(plan.sent ?? {}, fateOf(seed, "sent"));
    this.#received = new Link(plan.received ?? {}, fateOf(seed, "received"));
  }

  get counts(): AiPathCounts {
    const audio = this.#session?.audioWork;
    const counts = { sent: this.#sent.counts, received: this.#received.counts };
    return audio === undefined ? counts : { ...counts, audio };
  }

  /** The session, with its audio carried by this path. */
  through(session: AiSession): AiSession {
    this.#session = new UdpAiSession(session, {
      clock: this.#parts.clock,
      sent: this.#sent,
      received: this.#received,
      controlDelayMs: (direction) => this.#plan[direction]?.delay?.delayMs ?? 0,
    });
    return this.#session;
  }

  change(plan: NetworkPlan): void {
    const now = this.#parts.clock.now();
    checkNetwork(plan);
    this.#plan = { ...this.#plan, ...plan };
    if (plan.sent !== undefined) this.#sent.change(plan.sent, now);
    if (plan.received !== undefined) this.#received.change(plan.received, now);
  }

  close(): Promise<void> {
    this.#session?.release();
    return Promise.resolve();
  }
}
