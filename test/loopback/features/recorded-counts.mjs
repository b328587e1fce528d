// Loopback loses nothing: these steps change what a call that is over has counted. They also make
// our own timing look perfect, so that a busy machine does not turn "fail" into "inconclusive".
import { Given } from "@cucumber/cucumber";

Given("a step that takes a second", () => new Promise((resolve) => setTimeout(resolve, 1000)));

Given("the recorded counts say that nothing came", async function noneCame() {
  await change(this.call, { packetsReceived: 0, packetsExpected: 0 });
});

Given("the recorded counts say that {int} packets were lost", async function lost(lostPackets) {
  await change(this.call, { lost: lostPackets, concealedMs: 20 * lostPackets });
});

async function change(call, counts) {
  await call.whenEnded(5000);
  const { timeline } = call;
  const steady = { departureJitterMsP99: 0.5, departureJitterMsMax: 1, missedDeadlines: 0 };
  for (const fact of timeline.of("mediaStatistics")) {
    const { at: firstAt = fact.at } =
      timeline
        .of("rtpFlow")
        .find(({ party, direction }) => party === fact.party && direction === "sent") ?? {};
    Object.assign(fact, steady, { packetsSent: (fact.at - firstAt) / 20 }, counts);
  }
  for (const fact of timeline.of("instrument")) {
    Object.assign(fact, { eventLoopLagMsP99: 1, eventLoopLagMsMax: 1 });
  }
}
