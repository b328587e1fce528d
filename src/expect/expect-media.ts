import type { WatchedCall } from "../call/index.ts";
import { codecOf } from "../codec/index.ts";
import { ExpectationError } from "../environment/index.ts";
import { srtpSuiteOf } from "../srtp/index.ts";
import type { FactOf, Party } from "../timeline/index.ts";
import { endedEarly, isEnd } from "./watch.ts";

/** How long a call may take to agree on its media. */
const AGREEMENT_LIMIT_MS = 5000;

/** What one of our ends sends. */
interface SentMedia {
  readonly party: Party;
  readonly codec: string;
  readonly srtpSuite: string | undefined;
}

/**
 * Each end of ours sends with this codec: PCMU, PCMA, G722, opus, L16/8000 or L16/16000.
 * @throws ExpectationError ERR_CODEC_DIFFERS; UsageError ERR_UNKNOWN_CODEC; RemoteError
 *   ERR_CALL_ENDED_EARLY, ERR_CALL_UNSUPPORTED.
 */
export async function expectCodec(call: WatchedCall, codec: string): Promise<string> {
  const wanted = codecOf(codec).id;
  const sent = await sentMedia(call);
  const observed = sent.map((each) => `the ${each.party} sends ${each.codec}`).join(", ");
  if (sent.every((each) => each.codec === wanted)) return observed;
  throw new ExpectationError(
    "ERR_CODEC_DIFFERS",
    `Expected the codec ${wanted}, but ${observed}.`,
    { context: { codec: wanted, observed: sent.map((each) => each.codec) } },
  );
}

/**
 * Each end of ours encrypts what it sends (SRTP), with this suite where one is named.
 * @throws ExpectationError ERR_ENCRYPTION_DIFFERS; UsageError ERR_UNKNOWN_SRTP_SUITE; RemoteError
 *   ERR_CALL_ENDED_EARLY, ERR_CALL_UNSUPPORTED.
 */
export async function expectEncrypted(call: WatchedCall, suite?: string): Promise<string> {
  const wanted = suite === undefined ? undefined : srtpSuiteOf(suite);
  return judgeEncryption(call, {
    isMet: ({ srtpSuite }) =>
      wanted === undefined ? srtpSuite !== undefined : srtpSuite === wanted,
    words: wanted === undefined ? "encrypted media" : `media encrypted with ${wanted}`,
  });
}

/**
 * Each end of ours sends plain RTP.
 * @throws ExpectationError ERR_ENCRYPTION_DIFFERS; RemoteError ERR_CALL_ENDED_EARLY,
 *   ERR_CALL_UNSUPPORTED.
 */
export function expectNotEncrypted(call: WatchedCall): Promise<string> {
  return judgeEncryption(call, {
    isMet: ({ srtpSuite }) => srtpSuite === undefined,
    words: "media without encryption",
  });
}

async function judgeEncryption(
  call: WatchedCall,
  wanted: { readonly isMet: (sent: SentMedia) => boolean; readonly words: string },
): Promise<string> {
  const sent = await sentMedia(call);
  const observed = sent
    .map(({ party, srtpSuite }) => `the ${party} sends ${srtpSuite ?? "plain RTP"}`)
    .join(", ");
  if (sent.every(wanted.isMet)) return observed;
  throw new ExpectationError(
    "ERR_ENCRYPTION_DIFFERS",
    `Expected ${wanted.words}, but ${observed}.`,
    { context: { observed: sent.map(({ srtpSuite }) => srtpSuite ?? "none") } },
  );
}

/** What was agreed on last, at each end of ours. */
async function sentMedia(call: WatchedCall): Promise<readonly SentMedia[]> {
  await Promise.all(
    call.parties.map((party) =>
      call.waitFor(
        (fact) => isEnd(fact) || (fact.kind === "mediaStarted" && fact.party === party),
        AGREEMENT_LIMIT_MS,
      ),
    ),
  );
  const sent = call.parties.flatMap((party): SentMedia[] => {
    const isHere = (fact: { readonly party: Party }): boolean => fact.party === party;
    const last: FactOf<"mediaStarted" | "mediaChanged"> | undefined =
      call.timeline.of("mediaChanged").findLast(isHere) ??
      call.timeline.of("mediaStarted").findLast(isHere);
    return last === undefined ? [] : [{ party, codec: last.codec, srtpSuite: last.srtpSuite }];
  });
  if (sent.length < call.parties.length) throw await endedEarly(call, "media were agreed on");
  return sent;
}
