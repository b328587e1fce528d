import { Given, Then, When } from "@cucumber/cucumber";
import {
  type AiNetwork,
  burstyLoss,
  expectAiHeldUp,
  expectAiHeldUpAtMost,
  expectAiHeldUpInAllAtMost,
  expectAiNetworkLoss,
  type NetworkDirection,
  networkProfile,
} from "../src/index.ts";
import type { SidetoneWorld } from "./world.ts";

// What a network does to the packets between our bot and its AI. Steps add up; a named network takes
// the place of all before it. In a call they change a network that is there already: one of these
// steps, or how the AI is reached, must come before the call.

/** A party's "to" is what it receives; here both are seen from the bridge, which sends to the AI. */
function fromBridge(way: NetworkDirection): NetworkDirection {
  return way === "received" ? "sent" : "received";
}

/**
 * What carries its packets: `modelled TCP` (any host; its figures are modelled), `kernel TCP` (Linux,
 * with privileges) or `UDP`, as WebRTC would. Default: modelled TCP. `kernel TCP through nft` only
 * loses, `kernel TCP through netem` is Linux's own emulation: no seed repeats either, and neither
 * knows what it held up.
 */
Given(
  "the AI is reached by {aiTransport}",
  async function (this: SidetoneWorld, carrier: Pick<AiNetwork, "transport" | "backend">) {
    await this.useAiNetwork(carrier);
  },
);

/** Both directions go over a network that has a name, as for a party. */
Given("the AI is behind the network {string}", async function (this: SidetoneWorld, name: string) {
  const { sent = {}, received = {}, about } = networkProfile(name);
  await this.useAiNetwork({ sent: received, received: sent });
  this.note(about);
});

/** Each packet by itself. Of TCP, no byte is lost with it: what came after it waits. */
Given(
  "{float} % of the packets {networkWay} the AI are lost",
  async function (this: SidetoneWorld, percent: number, way: NetworkDirection) {
    await this.wantAiNetwork(fromBridge(way), {
      loss: { kind: "bernoulli", lossRatio: percent / 100 },
    });
  },
);

/** The same share, but so many in a row in the mean (Gilbert's model). */
Given(
  "{float} % of the packets {networkWay} the AI are lost in bursts of {float}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, percent: number, way: NetworkDirection, burst: number) {
    await this.wantAiNetwork(fromBridge(way), { loss: burstyLoss(percent / 100, burst) });
  },
);

/** These packets and no others, counted from 1 since the step; acknowledgements count, too. */
Given(
  "packets {int} to {int} {networkWay} the AI are lost",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, first: number, last: number, way: NetworkDirection) {
    await this.wantAiNetwork(fromBridge(way), {
      loss: { kind: "scripted", lost: [[first, last]] },
    });
  },
);

/** Nothing comes through for so long, then all is as before. */
When(
  "all packets {networkWay} the AI are lost for {duration}",
  async function (this: SidetoneWorld, way: NetworkDirection, durationMs: number) {
    const settings = { loss: { kind: "bernoulli", lossRatio: 1 } } as const;
    await this.wantAiNetwork(fromBridge(way), { changes: [{ atMs: 0, durationMs, settings }] });
  },
);

/** One way, each of them the same. */
Given(
  "packets {networkWay} the AI take {duration}",
  async function (this: SidetoneWorld, way: NetworkDirection, delayMs: number) {
    await this.wantAiNetwork(fromBridge(way), { delay: { delayMs } });
  },
);

/** One way; normally distributed, with this standard deviation. */
Given(
  "packets {networkWay} the AI take {duration} with {duration} of jitter",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, way: NetworkDirection, delayMs: number, jitterMs: number) {
    await this.wantAiNetwork(fromBridge(way), { delay: { delayMs, jitterMs } });
  },
);

/** A bottleneck with a queue of 200 ms, at least ten packets; what does not fit is dropped. */
Given(
  "at most {float} kbit/s get {networkWay} the AI",
  async function (this: SidetoneWorld, kbitPerS: number, way: NetworkDirection) {
    await this.wantAiNetwork(fromBridge(way), { rate: { bitsPerSecond: kbitPerS * 1000 } });
  },
);

/** Nothing is done to its packets any more. */
When("the network of the AI is healthy", async function (this: SidetoneWorld) {
  await this.useAiNetwork({ sent: { changes: [] }, received: { changes: [] } });
});

/** So far, and of what came 40 ms or more later than the network's own delay accounts for. */
Then(
  "nothing {networkWay} the AI is held up for longer than {duration}",
  async function (this: SidetoneWorld, way: NetworkDirection, limitMs: number) {
    this.note(await expectAiHeldUpAtMost(this.call, { direction: fromBridge(way), limitMs }));
  },
);

/** The same, all hold-ups together. */
Then(
  "what goes {networkWay} the AI is held up for at most {duration} in all",
  async function (this: SidetoneWorld, way: NetworkDirection, limitMs: number) {
    this.note(await expectAiHeldUpInAllAtMost(this.call, { direction: fromBridge(way), limitMs }));
  },
);

/** What the injured network did of itself, so that a scenario knows its fault. */
Then(
  "something {networkWay} the AI is held up for at least {duration}",
  async function (this: SidetoneWorld, way: NetworkDirection, atLeastMs: number) {
    this.note(await expectAiHeldUp(this.call, { direction: fromBridge(way), atLeastMs }));
  },
);

/** The same for packets. The call must be over. */
Then(
  "the network lost at least {float} % of the packets {networkWay} the AI",
  async function (this: SidetoneWorld, percent: number, way: NetworkDirection) {
    const direction = fromBridge(way);
    this.note(await expectAiNetworkLoss(this.call, { direction, atLeastPercent: percent }));
  },
);
