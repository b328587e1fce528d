import { Given, Then, When } from "@cucumber/cucumber";
import {
  type AnswerPolicy,
  expectAnswered,
  expectGoesOn,
  expectTalk,
  expectTransfer,
  expectTransferOutcome,
  expectTransferProgress,
  expectTransferredCall,
  type Fact,
  type Party,
  type RemoteAgent,
  type TransferPolicy,
  UsageError,
} from "../src/index.ts";
import type { SidetoneWorld } from "./world.ts";

/** How long whoever is asked before an attended transfer may take to answer. */
const ASK_LIMIT_MS = 5000;
/** How long a REFER may take to leave. */
const REFER_LIMIT_MS = 1000;

/**
 * Somebody of ours whom calls can be transferred to, under this name, and whom the bot's AI may
 * name in `transfer_call`. Says nothing. Comes after the step that names the bot.
 */
Given(
  "the colleague {string} answers the telephone",
  async function (this: SidetoneWorld, name: string) {
    await colleague(this, name, { kind: "answer", ringMs: 0 });
  },
);

/** The same, but every call is refused with this status, 300 to 699. */
Given(
  "the colleague {string} refuses calls with {int}",
  async function (this: SidetoneWorld, name: string, statusCode: number) {
    await colleague(this, name, { kind: "reject", statusCode });
  },
);

/** The same, but the telephone rings and nobody takes it. */
Given(
  "the colleague {string} does not answer the telephone",
  async function (this: SidetoneWorld, name: string) {
    await colleague(this, name, { kind: "ringForever" });
  },
);

/** Asked by REFER to call somebody else, this side does so; that is the default. */
Given("the {party} accepts transfers", async function (this: SidetoneWorld, party: Party) {
  await treatTransfers(this, party, { kind: "accept" });
});

/** REFERs are refused with this status, 300 to 699. */
Given(
  "the {party} refuses transfers with {int}",
  async function (this: SidetoneWorld, party: Party, statusCode: number) {
    await treatTransfers(this, party, { kind: "refuse", statusCode });
  },
);

/** Sends REFER, blind, and goes on at once. The target is a colleague's name or a SIP URI. */
When(
  "the {party} transfers the call to {string}",
  async function (this: SidetoneWorld, party: Party, target: string) {
    await begin(this, party, this.call.transfer(this.addressOf(target), party));
  },
);

/** Calls the target first; once it has answered, sends REFER with Replaces, and goes on at once. */
When(
  "the {party} transfers the call to {string} after asking there",
  async function (this: SidetoneWorld, party: Party, target: string) {
    const agent = await agentOf(this, party);
    const consultation = await agent.dial(this.addressOf(target), { purpose: "consultation" });
    await expectAnswered(consultation, ASK_LIMIT_MS);
    // Whoever was called may know of its answer before we do; of the ACK nobody can.
    await consultation.waitFor(isUp, ASK_LIMIT_MS);
    await begin(this, party, this.call.attendedTransfer(consultation, party));
  },
);

/**
 * This side sends a REFER whose target is this colleague or SIP URI, within this time of the step,
 * or has sent it in this call.
 */
Then(
  "the {party} transfers the call to {string} within {duration}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, party: Party, name: string, limitMs: number) {
    const target = this.addressOf(name);
    this.note(await expectTransfer(this.call, { party, target, limitMs }));
  },
);

/** The target answered, and whoever asked for the transfer was told so by NOTIFY. */
Then(
  "the transfer succeeds within {duration}",
  async function (this: SidetoneWorld, limitMs: number) {
    this.note(await expectTransferOutcome(this.call, { result: "completed", limitMs }));
  },
);

/** The target refused or did not answer, and whoever asked for the transfer was told this status. */
Then(
  "the transfer fails with {int} within {duration}",
  async function (this: SidetoneWorld, statusCode: number, limitMs: number) {
    this.note(await expectTransferOutcome(this.call, { result: "failed", statusCode, limitMs }));
  },
);

/** The REFER itself was refused with this status, so that nobody was called. */
Then(
  "the transfer is refused with {int} within {duration}",
  async function (this: SidetoneWorld, statusCode: number, limitMs: number) {
    this.note(await expectTransferOutcome(this.call, { result: "refused", statusCode, limitMs }));
  },
);

/** Exactly these statuses of the new call were told in NOTIFYs, in this order: "100, 180, 200". */
Then(
  "the transferring side is told {string} within {duration}",
  async function (this: SidetoneWorld, statuses: string, limitMs: number) {
    this.note(await expectTransferProgress(this.call, statusCodes(statuses), limitMs));
  },
);

/** The transferred side is in a call with this colleague or SIP URI, and audio arrives in it. */
Then(
  "the transferred call reaches {string} within {duration}",
  async function (this: SidetoneWorld, target: string, limitMs: number) {
    const transferred = await expectTransferredCall(this.call, this.calls, limitMs);
    this.note(await expectTalk(transferred, this.addressOf(target), limitMs));
  },
);

/** The call is up, and still so half a second later: for a transfer that came to nothing. */
Then("the call goes on", async function (this: SidetoneWorld) {
  this.note(await expectGoesOn(this.call));
});

function isUp(fact: Fact): boolean {
  return fact.kind === "callPhase" && fact.phase === "confirmed";
}

async function colleague(world: SidetoneWorld, name: string, policy: AnswerPolicy): Promise<void> {
  const run = await world.run();
  const agent = await run.colleague(name);
  await agent.answerWith(policy);
  await world.knowColleague(name, agent.uri);
}

async function agentOf(world: SidetoneWorld, party: Party): Promise<RemoteAgent> {
  if (party === "bot") return world.botAgent;
  return world.caller();
}

async function treatTransfers(
  world: SidetoneWorld,
  party: Party,
  policy: TransferPolicy,
): Promise<void> {
  const agent = await agentOf(world, party);
  world.toldAboutTransfers.add(agent);
  await agent.treatTransfers(policy);
}

/** Waits until the REFER has left; what becomes of it is told by the call's facts. */
async function begin(
  world: SidetoneWorld,
  party: Party,
  transfer: Promise<unknown>,
): Promise<void> {
  const requested = world.call.waitFor(
    (fact) => fact.kind === "transfer" && fact.event === "requested" && fact.party === party,
    REFER_LIMIT_MS,
  );
  const decided = transfer.then(() => "decided");
  // No REFER will leave: in a call that is over, say. Why, is in what the transfer came to.
  if ((await Promise.race([requested, decided])) === undefined) await transfer;
  // What comes of it later is told by the call's facts, and no fault of this step.
  decided.catch(() => undefined);
}

function statusCodes(text: string): number[] {
  const codes = text.split(",").map((code) => code.trim());
  if (codes.every((code) => /^[1-6]\d\d$/u.test(code))) return codes.map(Number);
  throw new UsageError(
    "ERR_STATUS_CODE",
    "The statuses of a transfer are numbers of 100 to 699 with commas between them, like 100, 180, 200.",
  );
}
