import { Given, Then, When } from "@cucumber/cucumber";
import {
  expectCodec,
  expectConcealedAtMost,
  expectEncrypted,
  expectLossAtMost,
  expectNotEncrypted,
  expectRoundTrip,
  type MediaSettings,
  type Party,
} from "../src/index.ts";
import type { SidetoneWorld } from "./world.ts";

// What is wanted of the media holds for calls that begin after the step, up to the scenario's end.
// The names are checked where the settings are taken: at once for the bot, else by dialling.

/** Calls have this codec or none: PCMU, PCMA, G722, opus, L16/8000 or L16/16000. */
Given(
  "the {party} offers/accepts only the codec {string}",
  async function (this: SidetoneWorld, party: Party, codec: string) {
    await this.wantMedia(party, { codecs: codecNames(codec) });
  },
);

/** Codecs in order of preference, with commas between them. Of the bot its own order counts. */
Given(
  "the {party} prefers the codecs {string}",
  async function (this: SidetoneWorld, party: Party, codecs: string) {
    await this.wantMedia(party, { codecs: codecNames(codecs) });
  },
);

/** Wants packets of 10, 20, 30, 40 or 60 ms (a=ptime), and sends such where the other side names no length. */
Given(
  "the {party} wants packets of {duration}",
  async function (this: SidetoneWorld, party: Party, ptimeMs: number) {
    await this.wantMedia(party, { ptimeMs: ptimeMs as NonNullable<MediaSettings["ptimeMs"]> });
  },
);

/**
 * The caller's line gives the bot its own voice back: so many dB below what the caller hears (-60 to
 * 6), this long after it. The caller's recording holds it, as it was sent.
 */
Given(
  "the caller's line echoes at {float} dB after {duration}",
  async function (this: SidetoneWorld, levelDb: number, delayMs: number) {
    await this.wantMedia("caller", { echo: { levelDb, delayMs } });
  },
);

/** SRTP or no call (RTP/SAVP, keys in the SDP). */
Given("the {party} requires encrypted media", async function (this: SidetoneWorld, party: Party) {
  await this.wantMedia(party, { srtp: "required" });
});

/** The same, with these suites only, with commas between them: AEAD_AES_256_GCM, …. */
Given(
  "the {party} requires encrypted media with {string}",
  async function (this: SidetoneWorld, party: Party, suites: string) {
    await this.wantMedia(party, { srtp: "required", srtpSuites: listed(suites) });
  },
);

/** SRTP where the other side speaks it (RTP/AVP with a=crypto), plain RTP where it does not. */
Given("the {party} allows encrypted media", async function (this: SidetoneWorld, party: Party) {
  await this.wantMedia(party, { srtp: "optional" });
});

/** The same, with these suites only, with commas between them. */
Given(
  "the {party} allows encrypted media with {string}",
  async function (this: SidetoneWorld, party: Party, suites: string) {
    await this.wantMedia(party, { srtp: "optional", srtpSuites: listed(suites) });
  },
);

/** RTCP `on the RTP port` (RFC 5761), where the other side can, or `on a port of its own`. */
Given(
  "the {party} sends RTCP {rtcpPort}",
  async function (this: SidetoneWorld, party: Party, rtcp: "mux" | "separate") {
    await this.wantMedia(party, { rtcp });
  },
);

/** Reports so often in the mean, 5 s by default; the first comes after half of that. */
Given(
  "the {party} sends RTCP reports every {duration}",
  async function (this: SidetoneWorld, party: Party, rtcpIntervalMs: number) {
    await this.wantMedia(party, { rtcpIntervalMs });
  },
);

/** Neither sends nor takes RTCP. */
Given("the {party} sends no RTCP", async function (this: SidetoneWorld, party: Party) {
  await this.wantMedia(party, { rtcp: "off" });
});

/** What the caller hears comes this much later, whatever the network does. */
Given(
  "the caller has a fixed jitter buffer of {duration}",
  async function (this: SidetoneWorld, delayMs: number) {
    await this.wantMedia("caller", { jitterBuffer: { kind: "fixed", delayMs } });
  },
);

/** The delay follows the jitter within these bounds; the default is 40 to 200 ms. */
Given(
  "the caller has an adaptive jitter buffer from {duration} to {duration}",
  async function (this: SidetoneWorld, minMs: number, maxMs: number) {
    await this.wantMedia("caller", { jitterBuffer: { kind: "adaptive", minMs, maxMs } });
  },
);

/** Comfort noise (RFC 3389): where both sides agree on it, silence is described and not sent. */
Given(
  "the {party} offers/accepts comfort noise",
  async function (this: SidetoneWorld, party: Party) {
    await this.wantMedia(party, { comfortNoise: true });
  },
);

/** Leaves telephone-event out of its SDP: keys can cross in-band or by SIP INFO. */
Given(
  "the {party} offers/accepts no telephone events",
  async function (this: SidetoneWorld, party: Party) {
    await this.wantMedia(party, { telephoneEvents: false });
  },
);

/** Sends to where the other side's packets come from, whatever its SDP says (comedia). */
Given(
  "the {party} follows the source of the packets",
  async function (this: SidetoneWorld, party: Party) {
    await this.wantMedia(party, { followsSource: true });
  },
);

/** Offers this codec alone in the middle of the call (re-INVITE): one of those that were named before it. */
When(
  "the {party} changes to the codec {string}",
  async function (this: SidetoneWorld, party: Party, codec: string) {
    await this.call.changeMedia({ codecs: [codec] }, party);
  },
);

/** Tells the other side to send nothing (re-INVITE with a=sendonly). */
When("the {party} puts the call on hold", async function (this: SidetoneWorld, party: Party) {
  await this.call.changeMedia({ direction: "sendonly" }, party);
});

/** Both sides may send again. */
When("the {party} resumes the call", async function (this: SidetoneWorld, party: Party) {
  await this.call.changeMedia({ direction: "sendrecv" }, party);
});

/** Each side that is ours sends with this codec, by what was agreed on last. */
Then("the call uses the codec {string}", async function (this: SidetoneWorld, codec: string) {
  this.note(await expectCodec(this.call, codec));
});

/** Each side that is ours encrypts what it sends, with whichever suite. */
Then("the media are encrypted", async function (this: SidetoneWorld) {
  this.note(await expectEncrypted(this.call));
});

/** The same, with this SRTP suite. */
Then("the media are encrypted with {string}", async function (this: SidetoneWorld, suite: string) {
  this.note(await expectEncrypted(this.call, suite));
});

/** Each side that is ours sends plain RTP. */
Then("the media are not encrypted", async function (this: SidetoneWorld) {
  this.note(await expectNotEncrypted(this.call));
});

/** Packets that never came ÷ packets expected, at each side that is ours. The call must be over. */
Then(
  "at most {float} % of the packets are lost",
  async function (this: SidetoneWorld, limitPercent: number) {
    this.note(await expectLossAtMost(this.call, limitPercent));
  },
);

/** Audio made up for what did not come in time, at each side that is ours. The call must be over. */
Then(
  "at most {duration} of audio is concealed",
  async function (this: SidetoneWorld, limitMs: number) {
    this.note(await expectConcealedAtMost(this.call, limitMs));
  },
);

/** The median of what RTCP measured at the caller; waits up to 15 s for a first report. */
Then("the round trip is at most {duration}", async function (this: SidetoneWorld, limitMs: number) {
  this.note(await expectRoundTrip(this.call, limitMs));
});

/** The names in "G722, PCMU". What none of us knows is refused where the settings are taken. */
function codecNames(text: string): NonNullable<MediaSettings["codecs"]> {
  return listed(text) as NonNullable<MediaSettings["codecs"]>;
}

function listed(text: string): readonly string[] {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}
