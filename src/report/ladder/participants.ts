import type { Fact, Party, SipMessageFact } from "../../timeline/index.ts";
import type { SeenMessage } from "./match-messages.ts";

/** Who takes part in the signalling of a call, from left to right. */
export interface Participant {
  /** "caller", "bot", or "peer" where it is neither of our ends. */
  readonly role: Party | "peer";
  /** Where its messages came from or went to; of our own ends, the first of them. */
  readonly address: string;
}

/** Finds the participant of an end of a message. */
export class Participants {
  readonly all: readonly Participant[];
  readonly #byAddress: ReadonlyMap<string, number>;
  readonly #byParty: ReadonlyMap<Party, number>;

  /**
   * @param seen tells by messages that were seen at both ends which addresses are whose: a
   *   connection has another port than the one that is listened on.
   */
  constructor(facts: readonly Fact[], seen: readonly SeenMessage[]) {
    const messages = facts.filter((fact): fact is SipMessageFact => fact.kind === "sipMessage");
    const owners = ownersOf(messages, seen);
    const peers = [...new Set(messages.map(({ remote }) => remote))].filter(
      (address) => !owners.has(address),
    );
    const own = (party: Party): Participant[] => {
      const first = messages.find((message) => message.party === party);
      return first === undefined ? [] : [{ role: party, address: first.local }];
    };
    this.all = [
      ...own("caller"),
      ...peers.map((address): Participant => ({ role: "peer", address })),
      ...own("bot"),
    ];
    const place = (party: Party): number => this.all.findIndex(({ role }) => role === party);
    this.#byParty = new Map([
      ["caller", place("caller")],
      ["bot", place("bot")],
    ]);
    this.#byAddress = new Map([
      ...this.all.map(({ address }, index) => [address, index] as const),
      ...[...owners].map(([address, party]) => [address, place(party)] as const),
    ]);
  }

  /** The place of one of our ends; -1 where it takes no part. */
  ofParty(party: Party): number {
    return this.#byParty.get(party) ?? -1;
  }

  /** From whom to whom a message went. */
  endsOf({ sent, received }: SeenMessage): { readonly from: number; readonly to: number } {
    const remote = (fact: SipMessageFact): number => this.#byAddress.get(fact.remote) ?? -1;
    if (sent !== undefined) {
      const to = received === undefined ? remote(sent) : this.ofParty(received.party);
      return { from: this.ofParty(sent.party), to };
    }
    const fact = received as SipMessageFact;
    return { from: remote(fact), to: this.ofParty(fact.party) };
  }
}

function ownersOf(
  messages: readonly SipMessageFact[],
  seen: readonly SeenMessage[],
): ReadonlyMap<string, Party> {
  const owners = new Map<string, Party>();
  for (const { sent, received } of seen) {
    if (sent === undefined || received === undefined) continue;
    owners.set(sent.remote, received.party);
    owners.set(received.remote, sent.party);
  }
  for (const { local, party } of messages) owners.set(local, party);
  return owners;
}
