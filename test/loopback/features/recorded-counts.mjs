// Loopback loses nothing: these steps change what a call that is over has counted.
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
  for (const fact of call.timeline.of("mediaStatistics")) Object.assign(fact, counts);
}
