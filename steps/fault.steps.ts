import { Given, Then } from "@cucumber/cucumber";
import {
  expectEndAt,
  expectInjected,
  expectRepeated,
  FAULTS,
  type FaultyMessage,
  type MessageAlteration,
  type Party,
} from "../src/index.ts";
import type { SidetoneWorld } from "./world.ts";

// What shall go wrong holds for calls that begin after the step, up to the scenario's end. A scenario
// whose fault never happened is broken, not passed.

/** The caller never acknowledges the 200: fault `no ACK`. */
Given("the caller sends no ACK", async function (this: SidetoneWorld) {
  await this.wantFaults("caller", FAULTS.noAck());
});

/** Each ACK leaves this much later: fault `late ACK`. */
Given(
  "the caller sends its ACK {duration} late",
  async function (this: SidetoneWorld, delayMs: number) {
    await this.wantFaults("caller", FAULTS.lateAck(delayMs));
  },
);

/** So many BYE requests of this side, repetitions included, do not leave: fault `lost BYE`. */
Given(
  "the first {int} BYE of the {party} is/are lost",
  async function (this: SidetoneWorld, times: number, party: Party) {
    await this.wantFaults(party, FAULTS.lostBye(times));
  },
);

/** No BYE of this side leaves before the call has ended: fault `lost BYE`. */
Given("every BYE of the {party} is lost", async function (this: SidetoneWorld, party: Party) {
  await this.wantFaults(party, FAULTS.lostBye());
});

/** The INVITE is sent so many times at once: fault `duplicated INVITE`. */
Given(
  "the caller sends its INVITE {int} times",
  async function (this: SidetoneWorld, times: number) {
    await this.wantFaults("caller", FAULTS.duplicatedInvite(times - 1));
  },
);

/** The 200 to the INVITE leaves this much later, although the bot has answered: fault `delayed 200`. */
Given(
  "the bot sends its answer {duration} late",
  async function (this: SidetoneWorld, delayMs: number) {
    await this.wantFaults("bot", FAULTS.delayedAnswer(delayMs));
  },
);

/** The 200 to the INVITE has no SDP: fault `answer without SDP`. */
Given("the bot answers without a session description", async function (this: SidetoneWorld) {
  await this.wantFaults("bot", FAULTS.answerWithoutDescription());
});

/** The offer names one codec, which nobody has: fault `unknown codec`. */
Given("the caller offers only an unknown codec", async function (this: SidetoneWorld) {
  await this.wantFaults("caller", FAULTS.unknownCodecOffer());
});

/**
 * A request, or the response to the INVITE with this status, leaves malformed: `without a Call-ID`,
 * `without From`, `without Via`, `with a bad CSeq`, `with another SIP version`, `cut short` or `as
 * garbage`. Fault `malformed INVITE`, `malformed 200`, ….
 */
Given(
  "the {party} sends its {sipMessage} {malformation}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (
    this: SidetoneWorld,
    party: Party,
    message: FaultyMessage,
    alteration: MessageAlteration,
  ) {
    await this.wantFaults(party, FAULTS.malformed(message, alteration));
  },
);

/** Every response of this side leaves this much later: fault `slow peer`. */
Given(
  "the {party} sends every response {duration} late",
  async function (this: SidetoneWorld, party: Party, delayMs: number) {
    await this.wantFaults(party, FAULTS.slowResponses(delayMs));
  },
);

/** Every message of this side is sent so many times: fault `retransmission storm`. */
Given(
  "the {party} sends every SIP message {int} times",
  async function (this: SidetoneWorld, party: Party, times: number) {
    await this.wantFaults(party, ...FAULTS.storm(times - 1));
  },
);

/** A fault that the scenario asked for, by its name, happened so often within this time. */
Then(
  "the fault {string} happens at least {int} time(s) within {duration}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, name: string, atLeast: number, limitMs: number) {
    this.note(await expectInjected(this.call, { name, atLeast, limitMs }));
  },
);

/** A request, or the response to the INVITE with this status, is sent again by the timers of SIP. */
Then(
  "the {party} repeats its {sipMessage} at least {int} time(s) within {duration}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (
    this: SidetoneWorld,
    party: Party,
    message: FaultyMessage,
    atLeast: number,
    limitMs: number,
  ) {
    this.note(await expectRepeated(this.call, { party, message, atLeast, limitMs }));
  },
);

/**
 * The call ends at this side for this reason (`bye`, `rejected`, `noAnswer`, …), or with this code
 * ([errors.md](errors.md)).
 */
Then(
  "the call ends at the {party} with {string} within {duration}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, party: Party, reason: string, limitMs: number) {
    this.note(await expectEndAt(this.call, { party, reason, limitMs }));
  },
);
