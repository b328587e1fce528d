import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type Instant,
  type Random,
  randomInteger,
  SILENT_LOGGER,
  type SocketAddress,
  type StreamConnection,
  type StreamHandlers,
  type StreamListener,
  seededRandom,
} from "../../../src/environment/index.ts";
import { NodeCryptography } from "../../../src/platform/index.ts";
import { SipEndpoint } from "../../../src/sip/index.ts";
import { VirtualNetwork } from "../../../src/testing/index.ts";
import { headerIn, LIVE_NOTHING, rawRequest } from "../sip/sip-lab.ts";
import { VirtualTime } from "../sip/virtual-time.ts";
import { FUZZ_TIMEOUT_MS, FUZZ_TITLE, fuzz, mustHold } from "./support/fuzz.ts";
import { pick } from "./support/mutations.ts";

const LOCAL = { address: "192.0.2.2", port: 5060 };
const PEER = "192.0.2.9";
const SOUND_MAX = 4;
/** More than any head may have. */
const ENDLESS_BYTES = 70_000;
/** Connections that are left open at a time, half of a message in them. */
const OPEN_MAX = 20;
/** Between two messages, and within them: bytes are not characters. */
const GAPS = ["", "", "\r\n", "\r\n\r\n", "\n", "\r\n\r\n\r\n\r\n\r\n"];
const BODIES = ["", "x", "\r\n\r\n", "grüße ☎", "OPTIONS sip:in@side SIP/2.0\r\n\r\n"];
const LENGTH_NAMES = ["Content-Length", "l", "CONTENT-LENGTH ", "L\t"];

/** What may come behind sound messages; after all but the first nobody can tell what follows. */
const ENDS: Readonly<Record<string, (text: string) => string>> = {
  nothing: () => "",
  "no Content-Length": (text) => text.replace(/^Content-Length: .*\r\n/mu, ""),
  "a negative Content-Length": (text) => text.replace(/(Content-Length: )\d+/u, "$1-1"),
  "no number": (text) => text.replace(/(Content-Length: )\d+/u, "$10x10"),
  "two lengths": (text) => text.replace(/(Content-Length: )\d+/u, "$17\r\nl: 8"),
  "a huge Content-Length": (text) => text.replace(/(Content-Length: )\d+/u, "$1999999999"),
  "an overlong Content-Length": (text) =>
    text.replace(/(Content-Length: )\d+/u, `$1${"9".repeat(400)}`),
  "an endless header": () => `OPTIONS sip:b@h SIP/2.0\r\nX: ${"y".repeat(ENDLESS_BYTES)}`,
  "endless headers": () => `OPTIONS sip:b@h SIP/2.0\r\n${"X: y\r\n".repeat(ENDLESS_BYTES / 6)}`,
  HTTP: () => "GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
};

/** The peer's end of a connection, and ours at once. */
class FuzzStream implements StreamConnection {
  readonly local: SocketAddress = LOCAL;
  readonly remote: SocketAddress;
  readonly bufferedBytes = 0;
  readonly received: string[] = [];
  onData: StreamConnection["onData"];
  onClose: StreamConnection["onClose"];
  onDrain: StreamConnection["onDrain"];
  isClosed = false;

  constructor(port: number) {
    this.remote = { address: PEER, port };
  }

  send(data: Uint8Array): void {
    this.received.push(new TextDecoder().decode(data));
  }

  pause(): void {}

  resume(): void {}

  close(): void {
    this.isClosed = true;
  }

  terminate(): void {
    this.isClosed = true;
  }

  /** Brings the bytes in pieces, in a buffer that is used again; then the news of its end. */
  bring(bytes: Uint8Array, at: Instant, random: Random): void {
    const longest = pick([3, 40, 700, 20_000], random);
    for (let begin = 0; begin < bytes.length && !this.isClosed; ) {
      const chunk = bytes.slice(begin, begin + 1 + randomInteger(random, longest));
      begin += chunk.length;
      this.onData?.(chunk, at);
      chunk.fill(0x58);
    }
    if (this.isClosed) this.onClose?.(undefined);
  }
}

/** Hands us the connections itself, at once. */
class FuzzNetwork extends VirtualNetwork {
  handlers: StreamHandlers | undefined;

  override listenStream(local: SocketAddress, handlers: StreamHandlers): Promise<StreamListener> {
    this.handlers = handlers;
    return super.listenStream(local, handlers);
  }
}

function soundMessage(callId: string, random: Random): string {
  const text = rawRequest("OPTIONS", {
    callId,
    branch: `z9hG4bK${callId}`,
    headers: ["Content-Type: text/plain"],
    body: pick(BODIES, random),
  });
  return text
    .replace("SIP/2.0/UDP", "SIP/2.0/TCP")
    .replace("Content-Length", pick(LENGTH_NAMES, random));
}

let time: VirtualTime;

beforeEach(() => {
  time = new VirtualTime();
});
afterEach(() => time.uninstall());

describe(`a TCP stream of SIP, fuzzed ${FUZZ_TITLE}`, () => {
  it(
    "answers every sound message up to what is none, however it is cut, and lives on",
    async () => {
      const random = seededRandom("fuzz streams");
      const network = new FuzzNetwork({ clock: time, random });
      const endpoint = await SipEndpoint.open({
        clock: time,
        random,
        cryptography: new NodeCryptography(random),
        logger: SILENT_LOGGER,
        network,
        local: LOCAL,
        user: "bot",
        userAgent: "Sidetone-Test",
        allow: ["*"],
      });
      // Else OPTIONS are answered as calls would be: 480.
      endpoint.onInvite = () => {};
      const encoder = new TextEncoder();
      const tail = rawRequest("OPTIONS", { callId: "tail", branch: "z9hG4bKtail" });
      const corpus = [tail, `${tail}\r\n\r\n${tail}`].map((text) => encoder.encode(text));
      const open: FuzzStream[] = [];
      const ended = new Set<string>();

      fuzz({
        name: "SIP streams",
        corpus,
        handle: (input, inputRandom, index) => {
          const stream = new FuzzStream(10_000 + (index % 50_000));
          network.handlers?.onConnection(stream);
          const callIds = Array.from(
            { length: randomInteger(inputRandom, SOUND_MAX + 1) },
            (_, count) => `sound-${index}-${count}`,
          );
          const sound = callIds
            .map((id) => pick(GAPS, inputRandom) + soundMessage(id, inputRandom))
            .join("");
          const isNoise = inputRandom() < 0.4;
          const end = pick(Object.keys(ENDS), inputRandom);
          const rest = isNoise ? input : encoder.encode(ENDS[end]?.(tail) ?? "");
          const before = endpoint.counts.malformed;
          stream.bring(Buffer.concat([encoder.encode(sound), rest]), time.now(), inputRandom);

          for (const id of callIds) {
            const answers = stream.received.filter((text) => headerIn(text, "Call-ID") === id);
            const statuses = answers.map((text) => text.slice(8, 11)).join();
            mustHold(statuses === "200", `${id} is answered once, with 200: ${statuses}`);
          }
          mustHold(endpoint.counts.exceptions === 0, "nothing is thrown");
          if (!isNoise) {
            ended.add(end);
            mustHold(stream.isClosed === (end !== "nothing"), `${end} closes the connection`);
            const isCounted = endpoint.counts.malformed > before;
            mustHold(isCounted === (end !== "nothing"), `${end} is counted`);
          }
          if (!stream.isClosed) open.push(stream);
          if (open.length > OPEN_MAX) open.shift()?.onClose?.(undefined);
          time.passTimers(20);
        },
      });

      for (const stream of open) stream.onClose?.(undefined);
      await time.advance(35_000);
      expect(ended.size).toBeGreaterThan(0);
      expect(endpoint.liveState).toEqual(LIVE_NOTHING);
      expect(time.pendingTimers).toBe(0);
      await endpoint.close();
    },
    FUZZ_TIMEOUT_MS,
  );
});
