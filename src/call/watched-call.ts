import { after, type Clock, type Instant, isoText, UsageError } from "../environment/index.ts";
import type { NetworkPlan } from "../impairment/index.ts";
import type { CallRecord, RecordedAudio } from "../measure/index.ts";
import type { Utterance } from "../media/index.ts";
import type { OptionsAnswer, TransferOutcome } from "../sip/index.ts";
import {
  CALL_FOLDER_VERSION,
  type CallDescription,
  type Fact,
  type Party,
  Timeline,
} from "../timeline/index.ts";
import type { AgentNotice, AgentProcedures } from "./agent-procedures.ts";
import type { KeyPress, MediaChange } from "./call.ts";
import type { CallArtifacts, CallIdentity } from "./call-artifacts.ts";
import type { RemoteProcedures } from "./remote-procedures.ts";

/** How a call's agent is reached. */
export type AgentLink = Pick<RemoteProcedures<AgentProcedures, AgentNotice>, "call">;

/** What a run adds to each call's description. */
export interface RunContext {
  readonly seed: string;
  readonly sidetoneVersion: string;
  readonly node: string;
  readonly platform: string;
  readonly time?: CallDescription["time"];
}

/** One party's end of a call. */
interface CallEnd {
  readonly identity: CallIdentity;
  readonly link: AgentLink;
  hasEnded: boolean;
}

/**
 * A call as a scenario sees it: one timeline for both ends where both are ours, and the caller's
 * verbs. It takes no instants of its own; they come with the facts.
 */
export class WatchedCall {
  /** Unique in a run: "001", "002", … */
  readonly id: string;
  readonly callId: string;
  readonly timeline: Timeline = new Timeline();
  /** The name of the scenario that it belongs to. */
  scenario: string | undefined;
  readonly clock: Clock;
  readonly #context: RunContext;
  readonly #ends = new Map<Party, CallEnd>();
  readonly #endListeners = new Set<() => void>();

  constructor(options: {
    readonly id: string;
    readonly callId: string;
    readonly clock: Clock;
    readonly context: RunContext;
  }) {
    this.id = options.id;
    this.callId = options.callId;
    this.clock = options.clock;
    this.#context = options.context;
  }

  /** True when every end of ours has released its media. */
  get hasEnded(): boolean {
    return this.#ends.size > 0 && [...this.#ends.values()].every((end) => end.hasEnded);
  }

  get parties(): readonly Party[] {
    return [...this.#ends.keys()].toSorted();
  }

  /** Why there is this call beside another one, as one of its ends knows; `undefined`: it is not. */
  get purpose(): CallIdentity["purpose"] {
    const purposes = [...this.#ends.values()].map(({ identity }) => identity.purpose);
    return purposes.find((purpose) => purpose !== undefined);
  }

  /**
   * An end of this call became known. Where two bots of ours call each other, as transfers make
   * them do, the second one is filed as the caller: a call has one end of each name.
   */
  addEnd(identity: CallIdentity, link: AgentLink): void {
    const known = this.#ends.get(identity.party);
    const isOther = known !== undefined && known.link !== link;
    const party = isOther ? otherParty(identity.party) : identity.party;
    this.#ends.set(party, { identity: { ...identity, party }, link, hasEnded: false });
    // The other end may have come to its end already: a refusal takes a millisecond.
    this.timeline.open();
  }

  /** A fact of one end, under the name that it goes by here. */
  addFact(fact: Fact, link: AgentLink): void {
    const known = this.#ends.get(fact.party);
    const isOther = known !== undefined && known.link !== link;
    this.timeline.add(isOther ? { ...fact, party: otherParty(fact.party) } : fact);
  }

  /** An end has released its media. */
  endEnded(link: AgentLink): void {
    for (const end of this.#ends.values()) if (end.link === link) end.hasEnded = true;
    if (!this.hasEnded) return;
    this.timeline.close();
    for (const listener of this.#endListeners) listener();
  }

  /** Speaks into the call at the given end, by default the caller's. */
  async say(utterance: Utterance, party: Party = "caller"): Promise<void> {
    await this.#end(party).link.call("say", { callId: this.callId, utterance });
  }

  /** Presses keys; resolves when the last digit has left. */
  async press(
    digits: string,
    how: Omit<KeyPress, "digits"> = {},
    party: Party = "caller",
  ): Promise<void> {
    await this.#end(party).link.call("press", { callId: this.callId, digits, ...how });
  }

  /**
   * Sends a text with SIP MESSAGE from the given end; resolves when the other side took it.
   * @throws (rejects) UsageError ERR_NOT_IN_CALL, ERR_CALL_STATE, ERR_MESSAGE_MALFORMED; RemoteError
   *   ERR_MESSAGE_REJECTED.
   */
  async sendText(text: string, party: Party = "caller"): Promise<void> {
    await this.#end(party).link.call("sendText", { callId: this.callId, text });
  }

  /**
   * Breaks the TCP, TLS or WebSocket connections of this end's SIP, as a fault on purpose.
   * @throws (rejects) UsageError ERR_NOT_IN_CALL, ERR_NO_CONNECTION where there is none.
   */
  async breakConnections(party: Party = "caller"): Promise<void> {
    const { callId } = this;
    if (await this.#end(party).link.call("breakConnections", { callId })) return;
    throw new UsageError(
      "ERR_NO_CONNECTION",
      `There is no connection of the ${party} that could be broken: its SIP goes by UDP. Let it use TCP or TLS.`,
      { context: { callId, party } },
    );
  }

  /**
   * Asks the other side with OPTIONS what it can do; any final response is an answer.
   * @throws (rejects) UsageError ERR_NOT_IN_CALL, ERR_CALL_STATE; RemoteError ERR_SIP_NO_RESPONSE.
   */
  queryOptions(party: Party = "caller"): Promise<OptionsAnswer> {
    return this.#end(party).link.call("queryOptionsInCall", { callId: this.callId });
  }

  /** Changes the call's media by re-INVITE; resolves when the other side has agreed. */
  async changeMedia(change: MediaChange, party: Party = "caller"): Promise<void> {
    await this.#end(party).link.call("changeMedia", { callId: this.callId, change });
  }

  /**
   * Another network for the RTP and RTCP of one end from now on, in the directions that are named.
   * @throws (rejects) UsageError ERR_IMPAIRMENT.
   */
  async changeNetwork(plan: NetworkPlan, party: Party = "caller"): Promise<void> {
    await this.#end(party).link.call("changeNetwork", { callId: this.callId, plan });
  }

  /**
   * The same for the network between the bot's bridge and its AI.
   * @throws (rejects) UsageError ERR_IMPAIRMENT; ERR_AI_PATH_MISSING where the bot had no
   *   `AiOptions.network`, or `aiNetwork` in its answer, when the call came.
   */
  async changeAiNetwork(plan: NetworkPlan): Promise<void> {
    await this.#end("bot").link.call("changeNetwork", { callId: this.callId, plan, leg: "ai" });
  }

  /**
   * Transfers the other side to a SIP URI by REFER; resolves when it is known what came of that,
   * which is no error, whatever it is.
   */
  transfer(target: string, party: Party = "caller"): Promise<TransferOutcome> {
    return this.#end(party).link.call("transfer", { callId: this.callId, target });
  }

  /**
   * The same, so that the transferred side takes our place in another call of ours.
   * @throws (rejects) UsageError ERR_NOT_IN_CALL, and as `transfer`.
   */
  async attendedTransfer(
    consultation: WatchedCall,
    party: Party = "caller",
  ): Promise<TransferOutcome> {
    const { link } = this.#end(party);
    // By that agent of ours which is in both calls, under whichever name it goes there.
    const isOurs = [...consultation.#ends.values()].some((end) => end.link === link);
    if (!isOurs) throw notInBoth(party);
    const dialog = await link.call("dialog", { callId: consultation.callId });
    return link.call("transfer", { callId: this.callId, ...dialog });
  }

  /**
   * Ends the call from the given end; resolves when it has ended there.
   * @param headers lines for BYE, CANCEL or rejection.
   */
  async hangUp(party: Party = "caller", headers: readonly string[] = []): Promise<void> {
    await this.#end(party).link.call("hangUp", { callId: this.callId, headers });
  }

  /** Waits for a fact; `undefined` where it did not come within `limitMs` of `from` (default now). */
  waitFor(
    matches: (fact: Fact) => boolean,
    limitMs: number,
    from: Instant = this.clock.now(),
  ): Promise<Fact | undefined> {
    return this.timeline.waitFor(matches, this.clock, after(from, limitMs));
  }

  /** Resolves when every end has released its media, or with false after `limitMs`. */
  whenEnded(limitMs: number): Promise<boolean> {
    if (this.hasEnded) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (ended: boolean): void => {
        this.#endListeners.delete(listener);
        timer.cancel();
        resolve(ended);
      };
      const listener = (): void => settle(true);
      const timer = this.clock.setTimer(after(this.clock.now(), limitMs), () => settle(false));
      this.#endListeners.add(listener);
    });
  }

  /** Recordings, packets and AI events of each end, as far as they have come. */
  async artifacts(): Promise<ReadonlyMap<Party, CallArtifacts>> {
    const { callId } = this;
    const found = [...this.#ends].map(
      async ([party, { link }]) => [party, await link.call("artifacts", { callId })] as const,
    );
    return new Map(await Promise.all(found));
  }

  /** All that is known now: the input of `measureCall`, during the call as after it. */
  async record(): Promise<CallRecord> {
    return this.recordOf(await this.artifacts());
  }

  /** The record made of artifacts that were fetched before. */
  recordOf(artifacts: ReadonlyMap<Party, CallArtifacts>): CallRecord {
    const audio = artifacts.get("caller")?.audio;
    const botAudio = artifacts.get("bot")?.audio;
    return {
      description: this.describe(),
      facts: [...this.timeline.facts],
      ...audioEntry("audio", audio),
      ...audioEntry("botAudio", botAudio),
    };
  }

  describe(): CallDescription {
    const { identity } = this.#end(this.#ends.has("caller") ? "caller" : "bot");
    return {
      version: CALL_FOLDER_VERSION,
      sidetoneVersion: this.#context.sidetoneVersion,
      id: this.id,
      ...(this.scenario === undefined ? {} : { scenario: this.scenario }),
      callId: this.callId,
      direction: identity.direction,
      local: identity.local,
      remote: identity.remote,
      startedAt: isoText(identity.startedAtWallMs),
      seed: this.#context.seed,
      node: this.#context.node,
      platform: this.#context.platform,
      ...(this.#context.time === undefined ? {} : { time: this.#context.time }),
      parties: this.parties,
    };
  }

  /** Lets the agents forget the call; its artifacts are gone after this. */
  async release(): Promise<void> {
    const { callId } = this;
    await Promise.all([...this.#ends.values()].map(({ link }) => link.call("forget", { callId })));
  }

  #end(party: Party): CallEnd {
    const end = this.#ends.get(party);
    if (end !== undefined) return end;
    throw new UsageError(
      "ERR_NOT_IN_CALL",
      `The ${party} of this call is not one of ours, so it cannot be told what to do.`,
      { context: { callId: this.callId, party } },
    );
  }
}

function notInBoth(party: Party): UsageError {
  return new UsageError(
    "ERR_NOT_IN_CALL",
    `The ${party} cannot put one call through to the other: it is not in both of them.`,
    { context: { party } },
  );
}

function otherParty(party: Party): Party {
  return party === "caller" ? "bot" : "caller";
}

function audioEntry<Key extends "audio" | "botAudio">(
  key: Key,
  audio: RecordedAudio | undefined,
): { readonly [Each in Key]?: RecordedAudio } {
  return audio === undefined ? {} : ({ [key]: audio } as { readonly [Each in Key]: RecordedAudio });
}
