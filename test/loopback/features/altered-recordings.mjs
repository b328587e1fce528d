// Loopback spoils no sound: these steps change what a call has recorded. They also make our own
// timing look perfect, so that a busy machine does not turn "fail" into "inconclusive".
import { Given } from "@cucumber/cucumber";

Given("the bot speaks for a while", () => new Promise((resolve) => setTimeout(resolve, 2500)));

Given("the recorded speech of the bot is amplified by {int} dB", function louder(gainDb) {
  alter(this.call, (sample) => limited(sample * 10 ** (gainDb / 20)));
});

Given("20 ms of the recorded speech of the bot are muted every second", function muted() {
  alter(this.call, (sample, index) => (index % 8000 < 160 ? 0 : sample));
});

Given("the recorded speech of the bot jumps once in a hum", function jumps() {
  alter(this.call, (_sample, index) =>
    Math.round(
      6000 * Math.sin((2 * Math.PI * 150 * index) / 8000 + (index > 16_000 ? Math.PI : 1.5)),
    ),
  );
});

Given("noise of {int} dBov lies over the recorded speech of the bot", function noisy(levelDbov) {
  let state = 1;
  alter(this.call, (sample) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    const even = state / 2 ** 31 - 1;
    return limited(sample + Math.sqrt(3) * 32_768 * 10 ** (levelDbov / 20) * even);
  });
});

Given("{int} of the packets were lost, as recorded", async function lost(packets) {
  await this.call.whenEnded(5000);
  for (const fact of this.call.timeline.of("mediaStatistics")) {
    Object.assign(fact, {
      lost: packets,
      lossRuns: 1,
      packetsExpected: fact.packetsReceived + packets,
    });
  }
  steady(this.call);
});

function limited(value) {
  return Math.max(-32_768, Math.min(32_767, Math.round(value)));
}

function alter(call, change) {
  const record = call.record.bind(call);
  call.record = async () => {
    const known = await record();
    steady(call);
    return { ...known, audio: { ...known.audio, right: known.audio.right.map(change) } };
  };
}

function steady(call) {
  for (const fact of call.timeline.of("mediaStatistics")) {
    const { at: firstAt = fact.at } =
      call.timeline
        .of("rtpFlow")
        .find(({ party, direction }) => party === fact.party && direction === "sent") ?? {};
    Object.assign(fact, {
      departureJitterMsP99: 0.5,
      departureJitterMsMax: 1,
      missedDeadlines: 0,
      packetsSent: (fact.at - firstAt) / 20,
    });
  }
  for (const fact of call.timeline.of("instrument")) {
    Object.assign(fact, { eventLoopLagMsP99: 1, eventLoopLagMsMax: 1 });
  }
}
