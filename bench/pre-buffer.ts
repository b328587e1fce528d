/**
 * `npm run bench:pre-buffer [-- KEY=VALUE…]`: what a pre-buffer of the AI's speech buys. Answers of
 * 4 s come over TCP as modelled (cubic) and are played by the injection buffer; for each way to hold
 * back: stalls and silence in a minute of speech, and by how much later answers begin. No clock is
 * read: the same seed gives the same table.
 *
 * Keys: `rtt` (ms), `loss` (percent, both ways), `speed` (how much faster than it is spoken the AI
 * sends), each with commas for several; `turns` of each cell; `seed`.
 */
import { InjectionBuffer, type PlayoutSettings } from "../src/bridge/index.ts";
import { type Instant, instant, seededRandom } from "../src/environment/index.ts";
import { Link, type LinkSettings } from "../src/impairment/index.ts";
import { ModelledConnection, type Packet } from "../src/impairment/tcp/connection.ts";

const DEFAULTS = { rtt: "80", loss: "1,2,5", speed: "1,4", turns: "200", seed: "pre-buffer" };
const settings: Readonly<Record<keyof typeof DEFAULTS, string>> = {
  ...DEFAULTS,
  ...Object.fromEntries(process.argv.slice(2).map((argument) => argument.split("=", 2))),
};

const WAYS: Readonly<Record<string, PlayoutSettings>> = {
  none: {},
  "100 ms": { preBuffer: { kind: "fixed", delayMs: 100 } },
  "200 ms": { preBuffer: { kind: "fixed", delayMs: 200 } },
  "400 ms": { preBuffer: { kind: "fixed", delayMs: 400 } },
  "adaptive to 500 ms": { preBuffer: { kind: "adaptive", maxMs: 500 } },
  "slower speech": { concealment: { kind: "stretch" } },
};

const RATE_HZ = 8000;
const DELTA_MS = 200;
const ANSWER_MS = 4000;
/** From one answer's beginning to the next: long enough for what is late. */
const TURN_MS = 10_000;
/** 200 ms of 24 kHz PCM in base64, and what JSON and WebSocket put around it. */
const DELTA_BYTES = (DELTA_MS * 48 * 4) / 3 + 200;
const FRAME_MS = 20;
const SPEECH = Int16Array.from({ length: (DELTA_MS * RATE_HZ) / 1000 }, (_value, index) =>
  Math.round(5000 * Math.sin((2 * Math.PI * 150 * index) / RATE_HZ)),
);

interface Network {
  readonly rttMs: number;
  readonly lossRatio: number;
  readonly speed: number;
}

/** When each delta of each answer has come. */
function arrivalsOf({ rttMs, lossRatio, speed }: Network): number[] {
  const random = seededRandom(`${settings.seed}/${rttMs}/${lossRatio}/${speed}`);
  const way: LinkSettings = {
    delay: { delayMs: rttMs / 2 },
    loss: { kind: "bernoulli", lossRatio },
  };
  const links = { toFar: new Link<Packet>(way, random), toNear: new Link<Packet>(way, random) };
  const how = { random, congestionControl: "cubic" } as const;
  const connection = new ModelledConnection(links, how, instant(0));
  const perTurn = ANSWER_MS / DELTA_MS;
  const dueMs = Array.from(
    { length: Number(settings.turns) * perTurn },
    (_value, index) =>
      2000 + Math.floor(index / perTurn) * TURN_MS + ((index % perTurn) * DELTA_MS) / speed,
  );
  const arrivals: number[] = [];
  let written = 0;
  let bytes = 0;
  while (arrivals.length < dueMs.length) {
    const dues = [links.toFar, links.toNear, connection].map(({ nextTimeout }) => nextTimeout);
    const now = instant(Math.min(...[...dues, dueMs[written]].map((due) => due ?? Infinity)));
    for (const link of [links.toFar, links.toNear]) {
      link.handleTimeout(now);
      for (let output = link.takeOutput(); output; output = link.takeOutput()) {
        connection.handlePacket(output.packet, now);
      }
    }
    connection.handleTimeout(now);
    for (; (dueMs[written] ?? Infinity) <= now; written += 1) {
      connection.write("far", DELTA_BYTES, now);
    }
    for (let output = connection.takeOutput(); output; output = connection.takeOutput()) {
      bytes += output.bytes;
      while (bytes >= DELTA_BYTES * (arrivals.length + 1)) arrivals.push(now);
    }
  }
  return arrivals;
}

/** Plays what came; what a caller would have heard of it. */
function play(arrivals: readonly number[], playout: PlayoutSettings): string {
  const buffer = new InjectionBuffer({ sampleRateHz: RATE_HZ, playout });
  const frame = new Int16Array((FRAME_MS * RATE_HZ) / 1000);
  const perTurn = ANSWER_MS / DELTA_MS;
  const held: number[] = [];
  let [stalls, silentMs, underrunAt, came] = [0, 0, 0, 0];
  const endMs = (arrivals.at(-1) ?? 0) + TURN_MS;
  for (let nowMs = 0; nowMs < endMs; nowMs += FRAME_MS) {
    for (; (arrivals[came] ?? Infinity) <= nowMs; came += 1) {
      const response = `r${Math.floor(came / perTurn)}`;
      buffer.handleAudio(response, "i", SPEECH, arrivals[came] as Instant);
      if (came % perTurn === perTurn - 1) buffer.handleResponseDone(response);
    }
    buffer.takeFrame(frame, instant(nowMs));
    for (let event = buffer.takeOutput(); event; event = buffer.takeOutput()) {
      if (event.type === "started") held.push(event.heldMs ?? 0);
      if (event.type === "underrun") underrunAt = event.at;
      if (event.type !== "resumed") continue;
      stalls += 1;
      silentMs += event.at - underrunAt - (event.concealedMs ?? 0);
    }
  }
  const minutes = (arrivals.length * DELTA_MS) / 60_000;
  const heldMs = held.reduce((sum, each) => sum + each, 0) / Math.max(1, held.length);
  const figures = [stalls / minutes, silentMs / minutes, heldMs].map((each) => each.toFixed(1));
  return figures.join(" | ");
}

console.log("| RTT | loss | speed | held back | stalls/min | silent ms/min | later by, mean ms |");
console.log("|---|---|---|---|---|---|---|");
const networks = settings.rtt.split(",").flatMap((rtt) =>
  settings.loss.split(",").flatMap((loss) =>
    settings.speed.split(",").map((speed) => ({
      rttMs: Number(rtt),
      lossRatio: Number(loss) / 100,
      speed: Number(speed),
    })),
  ),
);
for (const network of networks) {
  const arrivals = arrivalsOf(network);
  const { rttMs, lossRatio, speed } = network;
  for (const [name, way] of Object.entries(WAYS)) {
    const cell = `${rttMs} ms | ${100 * lossRatio} % | ${speed}`;
    console.log(`| ${cell} | ${name} | ${play(arrivals, way)} |`);
  }
}
