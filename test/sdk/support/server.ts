import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadVoices, resample, type VoiceLibrary } from "../../../src/audio/index.ts";
import { MULAW } from "../../../src/codec/index.ts";
import { createEnvironment, NodeFileStore } from "../../../src/platform/index.ts";
import {
  parseScript,
  RealtimeServer,
  type RealtimeServerOptions,
  type ServerEvent,
} from "../../../src/realtime-server/index.ts";
import { type Deviation, deviatingNetwork } from "./deviating-network.ts";

const FIXTURES = fileURLToPath(new URL("../../../fixtures", import.meta.url));

/** Fast, because a test need not wait for speech; slow enough to be interrupted in mid-response. */
const SCRIPT = parseScript(
  `
name: For the official clients
greeting: greeting
answerDelayMs: 20
pacing: { firstDeltaMs: 100, deltaMs: [100, 200], speedFactor: 20 }
turns:
  - hears: What time is breakfast?
    says: breakfast
  - hears: Tell me about the hotel.
    says: long
  - hears: Excuse me, may I ask something?
    says: interrupted
  - hears: Dial four two.
    says: dialling
    tool: { name: send_dtmf, arguments: { digits: "42" } }
    then: { says: goodbye }
  - hears: Front desk, please.
    tool: { name: transfer_call, arguments: { destination: desk } }
    then: { says: putting-through }
otherwise: not-understood
interrupted: interrupted
`,
  "sdk.yaml",
);

/** The server that `sidetone serve` runs, on ports of its own, and what it says of itself. */
export interface ServedAi {
  readonly server: RealtimeServer;
  /** `https://localhost:PORT`, with a certificate of fixtures/tls. */
  readonly secureOrigin: string;
  /** `http://127.0.0.1:PORT`. */
  readonly plainOrigin: string;
  readonly events: ServerEvent[];
}

/** Starts it; `deviation` falsifies what it sends. */
export async function serveAi(
  deviation?: Deviation,
  changes: Partial<RealtimeServerOptions> = {},
): Promise<ServedAi> {
  const environment = createEnvironment({ seed: "sdk" });
  const { network } = environment;
  const deviating =
    deviation === undefined
      ? environment
      : { ...environment, network: deviatingNetwork(network, deviation) };
  const listen = { address: "127.0.0.1", port: 0 };
  const server = await RealtimeServer.start(deviating, {
    listen,
    tls: { listen, identity: { certificate: pem("bot.pem"), key: pem("bot.key") } },
    script: SCRIPT,
    voices: await recordings(),
    ...changes,
  });
  const events: ServerEvent[] = [];
  server.onEvent = (event) => events.push(event);
  return {
    server,
    secureOrigin: (server.secureOrigin ?? "").replace("127.0.0.1", "localhost"),
    plainOrigin: server.geminiUrl.replace("ws:", "http:"),
    events,
  };
}

function pem(name: string): string {
  return readFileSync(`${FIXTURES}/tls/${name}`, "utf8");
}

let loaded: Promise<VoiceLibrary> | undefined;

/** The recordings of both sides. */
function recordings(): Promise<VoiceLibrary> {
  loaded ??= loadVoices(new NodeFileStore(), `${FIXTURES}/voices`);
  return loaded;
}

/** Enough for every kind of turn detection to end a turn. */
const SILENCE_MS = 700;

/** What the caller says, and the silence after it, in pieces of 100 ms of 16-bit PCM. */
export async function callerSpeech(phrase: string, rateHz: number): Promise<readonly Int16Array[]> {
  const voice = (await recordings()).find("caller", phrase);
  const speech = resample(voice.samples, voice.sampleRateHz, rateHz);
  const samples = new Int16Array(speech.length + (SILENCE_MS * rateHz) / 1000);
  samples.set(speech);
  return pieces(samples, rateHz / 10);
}

/** The same as G.711 µ-law in pieces of `ms`, as a telephone network delivers it. */
export async function callerTelephony(phrase: string, ms: number): Promise<readonly Uint8Array[]> {
  const samples = joined(await callerSpeech(phrase, 8000));
  const companded = new Uint8Array(samples.length);
  MULAW.compress(samples, companded);
  const size = ms * 8;
  const count = Math.floor(companded.length / size);
  return Array.from({ length: count }, (_, at) => companded.subarray(at * size, (at + 1) * size));
}

function pieces(samples: Int16Array, size: number): readonly Int16Array[] {
  const count = Math.ceil(samples.length / size);
  return Array.from({ length: count }, (_, at) => samples.subarray(at * size, (at + 1) * size));
}

function joined(parts: readonly Int16Array[]): Int16Array {
  return Int16Array.from(parts.flatMap((part) => [...part]));
}

/** 16-bit PCM or G.711 as base64. */
export function base64(data: Int16Array | Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64");
}

/** The bot's recording as the server must send it. */
export async function botSpeech(phrase: string, format: "pcm" | "pcmu"): Promise<Buffer> {
  const { samples, sampleRateHz } = (await recordings()).find("bot", phrase);
  const rateHz = format === "pcm" ? 24_000 : 8000;
  const wanted = sampleRateHz === rateHz ? samples : resample(samples, sampleRateHz, rateHz);
  if (format === "pcm") return Buffer.from(wanted.buffer, wanted.byteOffset, wanted.byteLength);
  const companded = new Uint8Array(wanted.length);
  MULAW.compress(wanted, companded);
  return Buffer.from(companded);
}
