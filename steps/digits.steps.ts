import { Then, When } from "@cucumber/cucumber";
import { type DigitMethod, expectDigits, type Party } from "../src/index.ts";
import type { SidetoneWorld } from "./world.ts";

/** Presses telephone keys as RFC 4733 events, 100 ms each: 0 to 9, A to D, * and #. */
When(
  "the {party} presses {string}",
  async function (this: SidetoneWorld, party: Party, digits: string) {
    await this.call.press(digits, {}, party);
  },
);

/** The same in the way named, which in-band means: as tones in the audio. */
When(
  "the {party} presses {string} {digitMethod}",
  async function (this: SidetoneWorld, party: Party, digits: string, method: DigitMethod) {
    await this.call.press(digits, { method }, party);
  },
);

/** The same, holding each key down for this long. */
When(
  "the {party} presses {string} {digitMethod}, each for {duration}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (
    this: SidetoneWorld,
    party: Party,
    digits: string,
    method: DigitMethod,
    durationMs: number,
  ) {
    await this.call.press(digits, { method, durationMs }, party);
  },
);

/** Exactly these keys arrive as RFC 4733 events, in this order, none more and none less. */
Then(
  "the {party} receives the digits {string} within {duration}",
  async function (this: SidetoneWorld, party: Party, digits: string, limitMs: number) {
    this.note(await expectDigits(this.call, digits, limitMs, { party }));
  },
);

/** The same in the way named; keys that arrive in another way are not counted. */
Then(
  "the {party} receives the digits {string} {digitMethod} within {duration}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (
    this: SidetoneWorld,
    party: Party,
    digits: string,
    method: DigitMethod,
    limitMs: number,
  ) {
    this.note(await expectDigits(this.call, digits, limitMs, { party, method }));
  },
);

/** The same, and no key lasts less than the first of the two durations. */
Then(
  "the {party} receives the digits {string} {digitMethod}, each at least {duration} long, within {duration}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (
    this: SidetoneWorld,
    party: Party,
    digits: string,
    method: DigitMethod,
    minDurationMs: number,
    limitMs: number,
  ) {
    this.note(await expectDigits(this.call, digits, limitMs, { party, method, minDurationMs }));
  },
);
