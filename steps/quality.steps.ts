import { Then } from "@cucumber/cucumber";
import {
  expectEstimatedMos,
  expectNoFault,
  expectNoiseAtMost,
  expectSpeechLevel,
  expectWideband,
  type Party,
} from "../src/index.ts";
import type { SidetoneWorld } from "./world.ts";

/** By the E-model, from loss, bursts, delay and codec, for what the caller received. The call must be over. */
Then(
  "the estimated MOS is at least {float}",
  async function (this: SidetoneWorld, leastMos: number) {
    this.note(await expectEstimatedMos(this.call, leastMos));
  },
);

/** Active speech level (ITU-T P.56); the softer limit first: `between -26 and -16 dBov`. */
Then(
  "the {party}'s speech level is between {int} and {int} dBov",
  async function (this: SidetoneWorld, speaker: Party, leastDbov: number, mostDbov: number) {
    this.note(await expectSpeechLevel(this.call, speaker, [leastDbov, mostDbov]));
  },
);

/** What the sound falls below for a tenth of the time: the noise in the pauses. */
Then(
  "the {party}'s noise floor is at most {int} dBov",
  async function (this: SidetoneWorld, speaker: Party, mostDbov: number) {
    this.note(await expectNoiseAtMost(this.call, speaker, mostDbov));
  },
);

/** The bot's speech never stays at the end of the scale. */
Then("no clipping is heard", async function (this: SidetoneWorld) {
  this.note(await expectNoFault(this.call, "clipping"));
});

/** No stretch of digital silence stands between sound and sound in the bot's speech. */
Then("nothing is cut out of the bot's speech", async function (this: SidetoneWorld) {
  this.note(await expectNoFault(this.call, "gaps"));
});

/** The bot's speech has no single jumps, as where a packet was badly replaced. */
Then("no click is heard", async function (this: SidetoneWorld) {
  this.note(await expectNoFault(this.call, "clicks"));
});

/** The bot's speech reaches 5 kHz and more, whatever the codec promises. Needs 2 s of speech. */
Then("the call was really wideband", async function (this: SidetoneWorld) {
  this.note(await expectWideband(this.call));
});
