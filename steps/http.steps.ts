import { Given, Then } from "@cucumber/cucumber";
import { expectHttpRequest, UsageError } from "../src/index.ts";
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

/**
 * Method and path, e.g. "GET /rooms", the status, and the body. The query matters only where one is
 * given.
 */
Given(
  "the HTTP server answers {string} with {int} and {string}",
  function (this: SidetoneWorld, request: string, status: number, body: string) {
    const [, method = "", path = ""] = /^([A-Za-z]+) (\/\S*)$/u.exec(request) ?? [];
    if (path === "") {
      throw new UsageError(
        "ERR_STAND_IN_REQUEST",
        `An HTTP server answers requests such as "GET /rooms", not "${request}".`,
      );
    }
    this.standIn.answerWith({ method, path, status, body });
  },
);

/** From now on the HTTP server takes this long for each answer. */
Given(
  "the HTTP server takes {duration} to answer",
  function (this: SidetoneWorld, delayMs: number) {
    this.standIn.delayMs = delayMs;
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
  async function (this: SidetoneWorld, method: string, url: string, body: string) {
    const expected = { method, url, body, limitMs: REQUEST_LIMIT_MS };
    this.note(await expectHttpRequest(this.call, expected, [...this.standIns.keys()]));
  },
);
