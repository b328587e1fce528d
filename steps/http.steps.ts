import { Given, Then } from "@cucumber/cucumber";
import { expectHttpRequest, type StandInAnswer } from "../src/index.ts";
import type { SidetoneWorld } from "./world.ts";

/** How long a bot may take to make a request where the scenario says nothing. */
const REQUEST_LIMIT_MS = 10_000;

/**
 * Starts an HTTP server that our bot's tool `http_request` asks instead of this origin, such as
 * "https://api.example.com"; it answers 404 unless it is told more.
 */
Given(
  "an HTTP server stands in for {string}",
  async function (this: SidetoneWorld, origin: string) {
    await this.standInFor(origin);
  },
);

/** Method, path and status; the text is the body. The query matters only where the path has one. */
Given(
  "the HTTP server answers {string} {string} with {int} and {string}",
  function (this: SidetoneWorld, ...given: [string, string, number, string]) {
    answer(this, given);
  },
);

/** The same, this long after the request. */
Given(
  "the HTTP server answers {string} {string} with {int} and {string} after {duration}",
  function (this: SidetoneWorld, ...given: [string, string, number, string, number]) {
    const [method, path, status, body, delayMs] = given;
    answer(this, [method, path, status, body], { delayMs });
  },
);

/**
 * The bot makes this request within 10 s, or has made it in this call: method and URL. Where a
 * server stands in, it must have arrived there.
 */
Then(
  "the bot requests {string} {string}",
  async function (this: SidetoneWorld, method: string, url: string) {
    const expected = { method, url, limitMs: REQUEST_LIMIT_MS };
    this.note(await expectHttpRequest(this.call, expected, [...this.standIns.keys()]));
  },
);

/** The same with this body: its text, or the fields that its JSON must have at least. */
Then(
  "the bot requests {string} {string} with the body:",
  async function (this: SidetoneWorld, ...given: [string, string, string]) {
    const [method, url, body] = given;
    const expected = { method, url, body, limitMs: REQUEST_LIMIT_MS };
    this.note(await expectHttpRequest(this.call, expected, [...this.standIns.keys()]));
  },
);

function answer(
  world: SidetoneWorld,
  [method, path, status, body]: readonly [string, string, number, string],
  more: Pick<StandInAnswer, "delayMs"> = {},
): void {
  world.standIn.answerWith({ method, path, status, body, ...more });
}
