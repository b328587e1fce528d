import type { WatchedCall } from "../call/index.ts";
import { ExpectationError } from "../environment/index.ts";
import { formatMs } from "../measure/index.ts";
import { headerValues, parseAddress, summariseMessage } from "../sip-syntax/index.ts";
import type { Fact, Party, SipMessageFact } from "../timeline/index.ts";
import { expectRejected } from "./expect-call.ts";
import { injectedText } from "./injected.ts";

/** What a header must be like, in a message that a side receives. */
export interface WantedHeader {
  readonly party: Party;
  /** A method, or the status of a response to INVITE. */
  readonly message: string | number;
  readonly header: string;
  readonly wanted:
    | { readonly kind: "value"; readonly text: string }
    | { readonly kind: "pattern"; readonly pattern: RegExp }
    | { readonly kind: "URI" | "display name"; readonly text: string }
    | { readonly kind: "absent" };
  readonly limitMs: number;
}

/**
 * The first such message that the side receives has a header like this; where it has several of the
 * name, any of them.
 * @throws ExpectationError ERR_MESSAGE_NOT_SEEN, ERR_HEADER_DIFFERS.
 */
export async function expectHeader(call: WatchedCall, expected: WantedHeader): Promise<string> {
  const { header, message, party, wanted, limitMs } = expected;
  const fact = await messageTo(call, party, message, limitMs);
  if (fact === undefined) {
    throw new ExpectationError(
      "ERR_MESSAGE_NOT_SEEN",
      `The ${party} received no ${message} within ${formatMs(limitMs)}.${injectedText(call)}`,
      { context: { party, message, limitMs } },
    );
  }
  const values = headerValues(fact.text, header);
  const isMet =
    wanted.kind === "absent" ? values.length === 0 : values.some((value) => isLike(value, wanted));
  if (isMet) return `${header} in ${message}: ${values.length === 0 ? "absent" : "as expected"}`;
  // What it was may hold a telephone number: it is in the trace.
  const seen = values.length === 0 ? "it has none" : `it has ${values.length}, none like that`;
  throw new ExpectationError(
    "ERR_HEADER_DIFFERS",
    `Expected the ${message} that the ${party} receives to have ${wanted.kind === "absent" ? "no" : `a certain ${wanted.kind} in the`} header ${header}, but ${wanted.kind === "absent" ? `it has ${values.length}` : seen}. The ladder shows its text.${injectedText(call)}`,
    { context: { party, message, header, count: values.length } },
  );
}

/**
 * The side that ends the call by BYE is this one.
 * @throws ExpectationError ERR_BYE_SIDE.
 */
export async function expectByeFrom(
  call: WatchedCall,
  party: Party,
  limitMs: number,
): Promise<string> {
  await call.waitFor(isBye, limitMs);
  const bye = call.timeline.facts.find(isBye);
  const sender = bye === undefined ? undefined : senderOf(bye);
  if (sender === party) return `BYE from the ${party}`;
  throw new ExpectationError(
    "ERR_BYE_SIDE",
    `Expected the BYE to come from the ${party} within ${formatMs(limitMs)}, but ${sender === undefined ? "there was none" : `it came from the ${sender}`}.${injectedText(call)}`,
    { context: { party, sender, limitMs } },
  );
}

/**
 * The call is refused with this final response and this phrase.
 * @throws ExpectationError ERR_NOT_REJECTED, ERR_PHRASE_DIFFERS; RemoteError ERR_CALL_UNSUPPORTED.
 */
export async function expectRejectedWith(
  call: WatchedCall,
  response: { readonly statusCode: number; readonly phrase: string },
  limitMs: number,
): Promise<string> {
  const { statusCode, phrase } = response;
  const observed = await expectRejected(call, statusCode, limitMs);
  const last = call.timeline
    .of("sipMessage")
    .findLast((fact) => isMessage(fact, statusCode) && receiverOf(fact) === "caller");
  const said = summariseMessage(last?.text ?? "").reasonPhrase ?? "";
  if (said === phrase) return `${observed}: "${said}"`;
  throw new ExpectationError(
    "ERR_PHRASE_DIFFERS",
    `Expected the call to be rejected with ${statusCode} "${phrase}", but the phrase was "${said}".`,
    { context: { statusCode, phrase, said } },
  );
}

function isBye(fact: Fact): fact is SipMessageFact {
  return fact.kind === "sipMessage" && fact.method === "BYE" && fact.statusCode === undefined;
}

/** As its receiver saw it, or, where that end is not ours, as its sender did. */
async function messageTo(
  call: WatchedCall,
  party: Party,
  message: string | number,
  limitMs: number,
): Promise<SipMessageFact | undefined> {
  const isOurs = call.parties.includes(party);
  const matches = (fact: Fact): fact is SipMessageFact =>
    fact.kind === "sipMessage" &&
    receiverOf(fact) === party &&
    (fact.party === party) === isOurs &&
    isMessage(fact, message);
  await call.waitFor(matches, limitMs);
  return call.timeline.facts.find(matches);
}

function isMessage(fact: SipMessageFact, message: string | number): boolean {
  if (typeof message === "number") return fact.statusCode === message && fact.method === "INVITE";
  return fact.statusCode === undefined && fact.method === message;
}

function receiverOf({ party, direction }: SipMessageFact): Party {
  return direction === "received" ? party : otherOf(party);
}

function senderOf(fact: SipMessageFact): Party {
  return otherOf(receiverOf(fact));
}

function otherOf(party: Party): Party {
  return party === "caller" ? "bot" : "caller";
}

function isLike(
  value: string,
  wanted: Exclude<WantedHeader["wanted"], { kind: "absent" }>,
): boolean {
  if (wanted.kind === "pattern") return wanted.pattern.test(value);
  if (wanted.kind === "value") return value === wanted.text;
  const address = parseAddress(value);
  return (wanted.kind === "URI" ? address?.uri : address?.displayName) === wanted.text;
}
