import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  briefly,
  eventsOf,
  FakeNegotiator,
  LIVE_NOTHING,
  RawPeer,
  responseTo,
  SipLab,
} from "./sip-lab.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const FOLDER = join(import.meta.dirname, "../../../fixtures/sip/torture");

/**
 * What becomes of a message: a call, a final response to its sender, or nothing. `malformed`: it is
 * also counted as such.
 */
interface Outcome {
  readonly file: string;
  readonly section: string;
  readonly user?: string;
  readonly becomes: "a call" | "nothing" | number;
  readonly malformed?: true;
  /** Where the RFC leaves a choice, or wants something else: what it says, and why we do this. */
  readonly why?: string;
}

const NOT_A_REGISTRAR = "a registrar would accept it; an endpoint refuses the method";
const TOLERATED = "the RFC allows to refuse it (400) or to be liberal; it does no harm";

const RFC_4475: readonly Outcome[] = [
  {
    section: "3.1.1.1",
    file: "wsinv",
    user: "vivekg",
    becomes: 481,
    why: "its To tag names a dialog that we do not have (RFC 3261 §12.2.2); see below",
  },
  { section: "3.1.1.2", file: "intmeth", becomes: 501 },
  { section: "3.1.1.3", file: "esc01", user: "sips%3Auser%40example.com", becomes: "a call" },
  { section: "3.1.1.4", file: "escnull", becomes: 405, why: NOT_A_REGISTRAR },
  { section: "3.1.1.5", file: "esc02", becomes: 501 },
  { section: "3.1.1.6", file: "lwsdisp", becomes: 200 },
  { section: "3.1.1.7", file: "longreq", becomes: "a call" },
  { section: "3.1.1.8", file: "dblreq", becomes: 405, why: NOT_A_REGISTRAR },
  { section: "3.1.1.9", file: "semiuri", user: "user;par=u%40example.net", becomes: 200 },
  { section: "3.1.1.10", file: "transports", becomes: 200 },
  {
    section: "3.1.1.11",
    file: "mpart01",
    user: "kumiko",
    becomes: 415,
    why: "well formed; of the bodies of MESSAGE only text is taken",
  },
  { section: "3.1.1.12", file: "unreason", becomes: "nothing", why: "no call of ours" },
  { section: "3.1.1.13", file: "noreason", becomes: "nothing", why: "no call of ours" },
  { section: "3.1.2.1", file: "badinv01", becomes: 400, malformed: true },
  { section: "3.1.2.2", file: "clerr", becomes: 400, malformed: true },
  { section: "3.1.2.3", file: "ncl", becomes: 400, malformed: true },
  { section: "3.1.2.4", file: "scalar02", becomes: 400, malformed: true },
  { section: "3.1.2.5", file: "scalarlg", becomes: "nothing", malformed: true },
  { section: "3.1.2.6", file: "quotbal", becomes: 400, malformed: true },
  { section: "3.1.2.7", file: "ltgtruri", becomes: 400, malformed: true },
  { section: "3.1.2.8", file: "lwsruri", becomes: 400, malformed: true },
  { section: "3.1.2.9", file: "lwsstart", becomes: "a call", why: TOLERATED },
  { section: "3.1.2.10", file: "trws", user: "remote-target", becomes: 200, why: TOLERATED },
  { section: "3.1.2.11", file: "escruri", becomes: "a call", why: TOLERATED },
  { section: "3.1.2.12", file: "baddate", becomes: "a call", why: "Date is not used" },
  { section: "3.1.2.13", file: "regbadct", becomes: 405, why: NOT_A_REGISTRAR },
  { section: "3.1.2.14", file: "badaspec", becomes: 200, why: TOLERATED },
  { section: "3.1.2.15", file: "baddn", user: "t.watson", becomes: 200, why: TOLERATED },
  { section: "3.1.2.16", file: "badvers", becomes: 505, malformed: true },
  { section: "3.1.2.17", file: "mismatch01", becomes: 400, malformed: true },
  {
    section: "3.1.2.18",
    file: "mismatch02",
    becomes: 400,
    malformed: true,
    why: "501 or 400; the mismatch is what the peer should know of",
  },
  { section: "3.1.2.19", file: "bigcode", becomes: "nothing", malformed: true },
  { section: "3.2.1", file: "badbranch", becomes: 200 },
  { section: "3.3.1", file: "insuf", becomes: 400, malformed: true },
  { section: "3.3.2", file: "unkscm", becomes: 416 },
  { section: "3.3.3", file: "novelsc", becomes: 416 },
  { section: "3.3.4", file: "unksm2", becomes: 405, why: NOT_A_REGISTRAR },
  { section: "3.3.5", file: "bext01", becomes: 420 },
  { section: "3.3.6", file: "invut", becomes: 415 },
  { section: "3.3.7", file: "regaut01", becomes: 405 },
  { section: "3.3.8", file: "multi01", becomes: 400, malformed: true },
  { section: "3.3.9", file: "mcl01", becomes: 400, malformed: true },
  { section: "3.3.10", file: "bcast", becomes: "nothing" },
  { section: "3.3.11", file: "zeromf", becomes: 200 },
  { section: "3.3.12", file: "cparam01", becomes: 405, why: NOT_A_REGISTRAR },
  { section: "3.3.13", file: "cparam02", becomes: 405, why: NOT_A_REGISTRAR },
  { section: "3.3.14", file: "regescrt", becomes: 405, why: NOT_A_REGISTRAR },
  { section: "3.3.15", file: "sdp01", becomes: 406 },
  { section: "3.4.1", file: "inv2543", user: "UserB", becomes: "a call" },
];

const RFC_5118: readonly Outcome[] = [
  { section: "4.1", file: "ipv6-good", becomes: 405, why: NOT_A_REGISTRAR },
  { section: "4.2", file: "ipv6-bad", becomes: 400, malformed: true },
  {
    section: "4.3",
    file: "port-ambiguous",
    becomes: 405,
    why: "5070 is the last group of the address, whatever was meant",
  },
  { section: "4.4", file: "port-unambiguous", becomes: 405, why: NOT_A_REGISTRAR },
  { section: "4.5", file: "via-received-param-with-delim", becomes: 481 },
  { section: "4.5", file: "via-received-param-no-delim", becomes: 200 },
  { section: "4.6", file: "ipv6-in-sdp", becomes: "a call" },
  { section: "4.7", file: "mult-ip-in-header", becomes: 481 },
  { section: "4.8", file: "mult-ip-in-sdp", becomes: "a call" },
  { section: "4.9", file: "ipv4-mapped-ipv6", becomes: "a call" },
  { section: "4.10", file: "ipv6-bug-abnf-3-colons", becomes: 200 },
  { section: "4.10", file: "ipv6-correct-abnf-2-colons", becomes: 200 },
];

const BOT = { address: "192.0.2.2", port: 5060 };
const SENDER = { address: "192.0.2.9", port: 5060 };
const BOT_6 = { address: "2001:db8::10", port: 5060 };
const SENDER_6 = { address: "2001:db8::20", port: 5060 };

const SUITES = [
  { rfc: "rfc4475", outcomes: RFC_4475, bot: BOT, sender: SENDER },
  { rfc: "rfc5118", outcomes: RFC_5118, bot: BOT_6, sender: SENDER_6 },
] as const;

interface Seen {
  readonly becomes: Outcome["becomes"];
  readonly malformed: number;
  readonly callEnds: number;
}

/** Sends one message to an endpoint that answers every call; then lets all time pass. */
async function torment(
  message: Uint8Array,
  user: string,
  { bot, sender }: Pick<(typeof SUITES)[number], "bot" | "sender">,
): Promise<Seen> {
  const lab = new SipLab();
  const endpoint = await lab.endpoint(2, user, { local: bot });
  let calls = 0;
  let callEnds = 0;
  endpoint.onInvite = (call) => {
    calls += 1;
    call.onEvent = ({ type }) => {
      if (type === "ended") callEnds += 1;
    };
    call.ring();
    call.answer(new FakeNegotiator());
  };
  const socket = await lab.network.bindDatagram(sender);
  socket.send(message, bot);
  await lab.advance(1000);
  const statuses = lab.traces
    .filter(({ direction }) => direction === "sent")
    .map(({ statusCode = 0 }) => statusCode);
  // A call's 200 is repeated, as its ACK does not come; then it is given up.
  await lab.advance(64_000);
  await lab.advance(35_000);

  expect(endpoint.liveState).toEqual(LIVE_NOTHING);
  expect(endpoint.counts.exceptions).toBe(0);
  expect(callEnds).toBe(calls);
  const { malformed } = endpoint.counts;
  await lab.close();
  const isAnswered = statuses.slice(0, 3).join() === "100,180,200";
  const becomes = calls === 1 && isAnswered ? "a call" : (statuses[0] ?? "nothing");
  return { becomes, malformed, callEnds };
}

function fixture(rfc: string, file: string): Buffer {
  return readFileSync(join(FOLDER, rfc, `${file}.dat`));
}

describe.each(SUITES)("torture messages of $rfc", (suite) => {
  it.each(suite.outcomes)("§$section: $file becomes $becomes", async (outcome) => {
    const { file, user = "user", becomes, malformed = false } = outcome;

    const seen = await torment(fixture(suite.rfc, file), user, suite);

    const isCall = becomes === "a call";
    expect(seen).toEqual({ becomes, malformed: malformed ? 1 : 0, callEnds: isCall ? 1 : 0 });
  });

  it("are all in the table", () => {
    const files = readdirSync(join(FOLDER, suite.rfc)).map((name) => name.replace(".dat", ""));

    expect(suite.outcomes.map(({ file }) => file).toSorted()).toEqual(files.toSorted());
  });
});

describe("torture messages of RFC 4475 that belong to something", () => {
  it("§3.1.1.1: the tortuous INVITE becomes a call where it names no dialog", async () => {
    const text = fixture("rfc4475", "wsinv")
      .toString("latin1")
      .replace(/ ; {3}tag {4}= \w+/, "");

    const seen = await torment(Buffer.from(text, "latin1"), "vivekg", SUITES[0]);

    expect(seen).toEqual({ becomes: "a call", malformed: 0, callEnds: 1 });
  });

  it.each([
    ["3.1.1.12", "unreason", "answered 200", /^= 2\*\*3 \* 5\*\*2 .*простое$/],
    ["3.1.1.13", "noreason", "trying 100", /^$/],
  ])("§%s: the response %s is taken by the call that it answers", async (...row) => {
    const [, file, event, phrase] = row;
    const lab = new SipLab();
    const caller = await lab.endpoint(2, "caller");
    const peer = new RawPeer(await lab.network.bindDatagram(SENDER));
    const call = caller.call("sip:bot@192.0.2.9", { negotiator: new FakeNegotiator() });
    const events = eventsOf(call);
    await lab.advance(20);
    const [head = "", body] = fixture("rfc4475", file).toString("utf8").split("\r\n\r\n");
    const [startLine = ""] = head.split("\r\n");
    const headers = ["Contact: <sip:bot@192.0.2.9>", "Content-Type: application/sdp"];
    const answer = { toTag: "2229", headers, ...(body === "" ? {} : { body: body ?? "" }) };
    peer.send(responseTo(peer.received[0]?.text ?? "", startLine.slice(8), answer), 2);
    await lab.advance(20);

    expect(briefly(events)).toContain(event);
    const got = lab.traces.find(({ direction }) => direction === "received");
    expect(got?.startLine.slice(12)).toMatch(phrase);
    await lab.close();
    expect(caller.counts).toEqual({ malformed: 0, exceptions: 0 });
  });
});
