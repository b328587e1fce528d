import { instant, seededRandom } from "../../src/environment/index.ts";
import { Link, type LinkSettings } from "../../src/impairment/index.ts";
import { ModelledConnection, type Packet } from "../../src/impairment/tcp/connection.ts";
import type { Flow, Passage } from "./flows.ts";

/** The network of one cell. */
export interface Cell {
  readonly roundTripMs: number;
  readonly lossRatio: number;
}

/** Which connection of many, and for how long. */
export interface SimulationOptions {
  readonly seed?: string;
  readonly durationMs?: number;
}

/** What the hub of the real backend, and the hosts, add to each way in the median. */
const LATENESS_MS = 0.2;

/** Lets one connection of the model carry a flow from its far end for so long. */
export function simulate(
  cell: Cell,
  flow: Flow,
  { seed = "1", durationMs = 60_000 }: SimulationOptions = {},
): Passage[] {
  const random = seededRandom(seed);
  const settings: LinkSettings = {
    delay: { delayMs: cell.roundTripMs / 2 + LATENESS_MS },
    loss: { kind: "bernoulli", lossRatio: cell.lossRatio },
  };
  // The handshake and the first frames' packets are lost like any other.
  const toFar = new Link<Packet>(settings, random);
  const toNear = new Link<Packet>(settings, random);
  let now = instant(0);
  const how = { random, congestionControl: "cubic" } as const;
  const connection = new ModelledConnection({ toFar, toNear }, how, now);
  const beginMs = 2000 + 4000 * random();
  const passages: Passage[] = [];
  let written = 0;
  let readBytes = 0;
  const nextWriteMs = (): number => beginMs + flow.sentMs(written);
  while (now < durationMs) {
    const dues = [toFar.nextTimeout, toNear.nextTimeout, connection.nextTimeout, nextWriteMs()];
    now = instant(Math.min(...dues.filter((due) => due !== undefined)));
    for (const link of [toFar, toNear]) {
      link.handleTimeout(now);
      for (let out = link.takeOutput(); out; out = link.takeOutput()) {
        connection.handlePacket(out.packet, now);
      }
    }
    connection.handleTimeout(now);
    while (nextWriteMs() <= now) {
      connection.write("far", flow.messageBytes, now);
      written += 1;
    }
    for (let out = connection.takeOutput(); out; out = connection.takeOutput()) {
      readBytes += out.bytes;
      while ((passages.length + 1) * flow.messageBytes <= readBytes) {
        passages.push({ sentMs: beginMs + flow.sentMs(passages.length), readMs: now });
      }
    }
  }
  return passages;
}
