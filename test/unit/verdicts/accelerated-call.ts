import type { CallArtifacts, CallIdentity } from "../../../src/call/index.ts";
import { WatchedCall } from "../../../src/call/index.ts";
import { type CodecId, codecOf } from "../../../src/codec/index.ts";
import { after, type Instant, instant, seededRandom } from "../../../src/environment/index.ts";
import { ImpairedPath, type NetworkPlan } from "../../../src/impairment/index.ts";
import { FrameWheel, MediaSession, UtterancePlayer } from "../../../src/media/index.ts";
import { NodeCryptography } from "../../../src/platform/index.ts";
import type { NegotiatedMedia, ReceivedPayload } from "../../../src/sdp/index.ts";
import { ManualClock, VirtualNetwork } from "../../../src/testing/index.ts";
import type { FactDraft, Party, UtteranceFact } from "../../../src/timeline/index.ts";

/** What is said at one end, from `atMs` after the answer on. */
export interface Words {
  readonly id: string;
  readonly atMs: number;
  readonly samples: Int16Array;
  readonly sampleRateHz: number;
  readonly onsetMs: number;
  readonly offsetMs: number;
  readonly purpose?: UtteranceFact["purpose"];
  /** The bot was made to stop here: what it had left is thrown away. */
  readonly isCut?: boolean;
}

/** A call that is to happen. Its truth is this plan. */
export interface CallToMake {
  readonly seed: string;
  readonly codec: CodecId;
  /** Before the caller's socket. */
  readonly network: NetworkPlan;
  readonly playoutDelayMs: number;
  /** Whether anything but sound is known of the bot. */
  readonly isBotOurs: boolean;
  readonly caller: readonly Words[];
  readonly bot: readonly Words[];
  readonly keys?: { readonly atMs: number; readonly digits: string };
  readonly endMs: number;
  readonly endedBy: Party;
}

const FIRST_AT = 5000;
const RING_MS = 150;
const CALLER_AT = "10.0.0.1";
const BOT_AT = "10.0.0.2";
const PORT = 4000;
const KEYS_PAYLOAD_TYPE = 101;

/**
 * Makes the call in accelerated time: real media sessions, codecs and jitter buffers at both ends
 * of a virtual network, on a clock that does not wait. Only SIP and AI are told of, not carried out.
 */
export async function makeCall(plan: CallToMake): Promise<WatchedCall> {
  const clock = new ManualClock(instant(FIRST_AT));
  const random = seededRandom(plan.seed);
  const network = new VirtualNetwork({ clock, random, latencyMs: 1 });
  const call = new WatchedCall({
    id: "001",
    callId: "accelerated",
    clock,
    context: { seed: plan.seed, sidetoneVersion: "test", node: "test", platform: "test" },
  });
  const open = async (party: Party, address: string): Promise<End> => {
    const bound = await network.bindDatagram({ address, port: PORT });
    const path = new ImpairedPath(clock, random, party === "caller" ? plan.network : {});
    const record = (fact: FactDraft): void => {
      if (party === "caller" || plan.isBotOurs) call.addFact({ ...fact, party }, link);
    };
    const media = new MediaSession({
      party,
      clock,
      random,
      cryptography: new NodeCryptography(random),
      wheel: new FrameWheel(clock),
      sockets: { rtp: path.before(bound) },
      settings: { rtcp: "off", jitterBuffer: { kind: "fixed", delayMs: plan.playoutDelayMs } },
      record,
      recordsAudio: true,
      silentPeerLimitMs: 60_000,
    });
    const player = new UtterancePlayer((fact) => {
      if (party === "caller") record(fact);
    });
    media.source = player;
    if (party === "caller")
      media.onHeardSpeech = (event, at) => player.handleHeardSpeech(event, at);
    const link = linkOf(party, media);
    if (party === "caller" || plan.isBotOurs) call.addEnd(identityOf(party), link);
    return { media, player, record, link };
  };
  const caller = await open("caller", CALLER_AT);
  const bot = await open("bot", BOT_AT);
  carryOut(plan, { caller, bot, clock });
  call.endEnded(caller.link);
  if (plan.isBotOurs) call.endEnded(bot.link);
  return call;
}

/** From the INVITE to the BYE. */
function carryOut(
  plan: CallToMake,
  { caller, bot, clock }: { readonly caller: End; readonly bot: End; readonly clock: ManualClock },
): void {
  phase(caller, "dialed", clock.now());
  clock.advance(RING_MS);
  const answeredAt = clock.now();
  phase(caller, "answered", answeredAt);
  phase(caller, "confirmed", answeredAt);
  caller.media.start(negotiated(BOT_AT, plan.codec));
  bot.media.start(negotiated(CALLER_AT, plan.codec));
  for (const words of plan.caller) say(caller, words, answeredAt);
  for (const words of plan.bot) {
    say(bot, words, answeredAt);
    tellOfResponse(bot, words, answeredAt);
  }
  const { keys } = plan;
  if (keys !== undefined) {
    clock.setTimer(after(answeredAt, keys.atMs), () => {
      void bot.media.sendDigits({ digits: keys.digits });
    });
  }
  clock.advance(plan.endMs);
  end([caller, bot], clock, plan.endedBy);
}

interface End {
  readonly media: MediaSession;
  readonly player: UtterancePlayer;
  readonly record: (fact: FactDraft) => void;
  readonly link: Link;
}

type Link = Parameters<WatchedCall["addEnd"]>[1];

/** An agent's thread that only has the recording to give. */
function linkOf(party: Party, media: MediaSession): Link {
  const artifacts = (): CallArtifacts => {
    const audio = media.recordedAudio();
    return { identity: identityOf(party), ...(audio === undefined ? {} : { audio }) };
  };
  return { call: (() => Promise.resolve(artifacts())) as unknown as Link["call"] };
}

function identityOf(party: Party): CallIdentity {
  return {
    callId: "accelerated",
    party,
    direction: party === "caller" ? "outbound" : "inbound",
    local: `sip:${party}@10.0.0.1`,
    remote: "sip:other@10.0.0.2",
    startedAtWallMs: 0,
  };
}

function phase({ record }: End, name: "dialed" | "answered" | "confirmed", at: Instant): void {
  record({ kind: "callPhase", phase: name, at });
}

function end(ends: readonly End[], clock: ManualClock, endedBy: Party): void {
  const at = clock.now();
  for (const [index, { media, record }] of ends.entries()) {
    const isOwn = (index === 0) === (endedBy === "caller");
    media.stop();
    record({
      kind: "callPhase",
      phase: "ended",
      at,
      endedBy: isOwn ? "local" : "remote",
      reason: "bye",
    });
  }
}

function say({ player }: End, words: Words, answeredAt: Instant): void {
  player.say({
    utteranceId: words.id,
    fixture: words.id,
    purpose: words.purpose ?? "speech",
    samples: words.samples,
    onsetMs: words.onsetMs,
    offsetMs: words.offsetMs,
    start: { kind: "at", at: after(answeredAt, words.atMs) },
  });
}

/** What our bot's bridge would say of this answer. */
function tellOfResponse({ record }: End, words: Words, answeredAt: Instant): void {
  const { id: responseId, atMs, samples, isCut = false } = words;
  const lengthMs = (samples.length * 1000) / words.sampleRateHz;
  const beginAt = after(answeredAt, atMs);
  const endAt = after(beginAt, lengthMs);
  record({ kind: "aiResponse", event: "created", responseId, at: after(beginAt, -60) });
  record({ kind: "aiResponse", event: "firstAudio", responseId, at: after(beginAt, -40) });
  record({ kind: "playout", event: "started", responseId, at: beginAt, playedMs: 0 });
  const playedMs = lengthMs;
  if (!isCut) {
    record({ kind: "playout", event: "ended", responseId, at: endAt, playedMs });
    return;
  }
  const interruption = { responseId, playedMs, truncationSent: true };
  record({ kind: "interruption", at: endAt, ...interruption });
  record({ kind: "playout", event: "flushed", responseId, at: endAt, playedMs, discardedMs: 500 });
}

function negotiated(address: string, codecId: CodecId): NegotiatedMedia {
  const { clockRateHz, preferredPayloadType: payloadType } = codecOf(codecId);
  return {
    send: { codecId, payloadType, clockRateHz, channels: 1 },
    receive: new Map<number, ReceivedPayload>([
      [payloadType, { kind: "audio", codecId }],
      [KEYS_PAYLOAD_TYPE, { kind: "telephoneEvent", clockRateHz }],
    ]),
    telephoneEventPayloadType: KEYS_PAYLOAD_TYPE,
    ptimeMs: 20,
    remote: { address, port: PORT },
    remoteRtcp: undefined,
    rtcpMux: false,
    remoteRtcpXr: false,
    direction: "sendrecv",
  };
}
