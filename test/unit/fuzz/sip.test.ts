import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type Random,
  randomInteger,
  SILENT_LOGGER,
  seededRandom,
} from "../../../src/environment/index.ts";
import { NodeCryptography } from "../../../src/platform/index.ts";
import { type InboundCall, type SipCall, SipEndpoint } from "../../../src/sip/index.ts";
import { VirtualNetwork } from "../../../src/testing/index.ts";
import { LIVE_NOTHING } from "../sip/sip-lab.ts";
import { VirtualTime } from "../sip/virtual-time.ts";
import { FUZZ_TIMEOUT_MS, FUZZ_TITLE, fuzz, mustHold } from "./support/fuzz.ts";
import { pick } from "./support/mutations.ts";
import { FuzzSocket, SIP_STATES } from "./support/sip-states.ts";

const INPUTS_PER_STATE = 20;
const TORTURE = join(import.meta.dirname, "../../../fixtures/sip/torture/rfc4475");

let time: VirtualTime;

beforeEach(() => {
  time = new VirtualTime();
});
afterEach(() => time.uninstall());

/** Header lines that come at the wrong time or from another message. */
const STRAY_LINES = [
  "Require: 100rel",
  "Contact: *",
  "Contact: <tel:+12>",
  "Record-Route: <sip:192.0.2.66;lr>, <sip:[2001:db8::1]>",
  "Route: <sip:nowhere.invalid>",
  "Via: SIP/2.0/TCP 192.0.2.66",
  "Content-Length: 3",
  "Content-Type: multipart/mixed;boundary=x",
  "Replaces: raw-call;to-tag=a;from-tag=b",
  "RSeq: 1",
  "RAck: 1 1 INVITE",
  "Session-Expires: 5",
  "Retry-After: 0",
  "To: <sip:x@y>;tag=other",
  "CSeq: 4294967295 INVITE",
  "Max-Forwards: 0",
];

/** Takes, doubles, swaps or adds whole header lines: what parses is more often still a message. */
function shuffledLines(text: string, random: Random): string {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const lines = head.split("\r\n");
  const at = 1 + randomInteger(random, Math.max(1, lines.length - 1));
  const kind = randomInteger(random, 5);
  if (kind === 0) lines.splice(at, 1);
  if (kind === 1) lines.splice(at, 0, lines[at] ?? "");
  if (kind === 2) lines.splice(at, 0, pick(STRAY_LINES, random));
  if (kind === 3) lines[at] = pick(STRAY_LINES, random);
  if (kind === 4) lines.splice(1, 0, ...lines.splice(at, 1));
  return [lines.join("\r\n"), ...rest].join("\r\n\r\n");
}

describe(`a whole SIP endpoint, fuzzed ${FUZZ_TITLE}`, () => {
  it(
    "throws nothing in any state of a call, ends every call, and holds nothing 35 s later",
    async () => {
      const socket = new FuzzSocket();
      const calls: SipCall[] = [];
      let incoming: InboundCall | undefined;
      const endpoint = await SipEndpoint.open({
        clock: time,
        random: seededRandom("fuzz"),
        cryptography: new NodeCryptography(seededRandom("fuzz keys")),
        credentials: [{ user: "alice", password: "fuzzed" }],
        logger: SILENT_LOGGER,
        network: new VirtualNetwork({ clock: time, random: seededRandom("network") }),
        socket,
        local: socket.local,
        user: "bot",
        userAgent: "Sidetone-Test",
        allow: ["*"],
      });
      endpoint.onInvite = (call) => {
        calls.push(call);
        incoming = call;
        call.onInfo = () => 200;
        call.ring();
      };
      const encoder = new TextEncoder();
      const torture = readdirSync(TORTURE).map((name) => readFileSync(join(TORTURE, name)));
      const entered = new Set<string>();
      const enter = (index: number): readonly Uint8Array[] => {
        for (const call of calls.splice(0)) void call.hangUp();
        const state = SIP_STATES[(index / INPUTS_PER_STATE) % SIP_STATES.length];
        entered.add(state?.name ?? "");
        const own = state?.enter({
          endpoint,
          receive: (text) => socket.receive(text, time.now()),
          sent: () => socket.lastSent,
          callId: `fuzz-${index}`,
          incoming: () => incoming as InboundCall,
          keep: (call) => calls.push(call),
        });
        const valid = (own ?? []).map((text) => encoder.encode(text));
        return index % 3 === 0 ? [...valid, ...torture] : valid;
      };
      let corpus: readonly Uint8Array[] = [];

      fuzz({
        name: "SIP endpoint",
        corpus: (index) => {
          if (index % INPUTS_PER_STATE === 0) corpus = enter(index);
          return corpus;
        },
        validShare: 0.15,
        handle: (input, random) => {
          const text = new TextDecoder().decode(input);
          const isShuffled = random() < 0.3;
          socket.receive(isShuffled ? shuffledLines(text, random) : input, time.now());
          time.passTimers(random() < 0.1 ? 5000 * random() : 20);
          mustHold(endpoint.counts.exceptions === 0, "nothing is thrown");
        },
      });

      // Whatever the peer left: all calls end, and then all that is remembered of them goes.
      for (const call of calls) void call.hangUp();
      await time.advance(140_000);
      await time.advance(35_000);
      expect(entered.size).toBeGreaterThan(0);
      expect(endpoint.counts).toMatchObject({ exceptions: 0 });
      expect(endpoint.counts.malformed).toBeGreaterThan(0);
      expect(socket.sentCount).toBeGreaterThan(0);
      expect(endpoint.liveState).toEqual(LIVE_NOTHING);
      expect(time.pendingTimers).toBe(0);
      await endpoint.close();
    },
    FUZZ_TIMEOUT_MS,
  );
});
