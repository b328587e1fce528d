import { type DataTable, Then } from "@cucumber/cucumber";
import {
  expectParallelTools,
  expectToolAnswer,
  expectToolCall,
  expectToolFailure,
  expectToolOrder,
  expectToolSuccess,
  UsageError,
} from "../src/index.ts";
import type { SidetoneWorld } from "./world.ts";

/** How long a bot may take to call a tool where the scenario says nothing. */
const TOOL_LIMIT_MS = 10_000;

/** Our bot's AI calls this tool within 10 s, or has called it in this call. */
Then("the bot calls the tool {string}", async function (this: SidetoneWorld, name: string) {
  this.note(await expectToolCall(this.call, { name, limitMs: TOOL_LIMIT_MS }));
});

/** The same, with at least the arguments of the table, one row each: name and value. */
Then(
  "the bot calls the tool {string} with:",
  async function (this: SidetoneWorld, name: string, table: DataTable) {
    const wanted = Object.fromEntries(
      table.raw().map(([key, value]) => [key ?? "", jsonOrText(value ?? "")]),
    );
    if ("" in wanted) {
      throw new UsageError(
        "ERR_TABLE_MALFORMED",
        "The table of arguments has a row without a name. Write | name | value | in each row.",
      );
    }
    this.note(await expectToolCall(this.call, { name, arguments: wanted, limitMs: TOOL_LIMIT_MS }));
  },
);

/** It has done so within 10 s, and the AI was told what came of it. */
Then("the tool {string} succeeds", async function (this: SidetoneWorld, name: string) {
  this.note(await expectToolSuccess(this.call, { name, limitMs: TOOL_LIMIT_MS }));
});

/** It has failed within 10 s with this code, e.g. ERR_TOOL_ARGUMENTS, and the AI was told why. */
Then(
  "the tool {string} fails with {string}",
  async function (this: SidetoneWorld, name: string, code: string) {
    this.note(await expectToolFailure(this.call, { name, code, limitMs: TOOL_LIMIT_MS }));
  },
);

/** Within 10 s a tool has ended, and what the AI was told of it holds this text (docs/tools.md). */
Then(
  "the bot's AI is told {string} about the tool {string}",
  async function (this: SidetoneWorld, text: string, name: string) {
    this.note(await expectToolAnswer(this.call, { name, text, limitMs: TOOL_LIMIT_MS }));
  },
);

/** So many tools (or calls of one) are under way at the same time, within 10 s. */
Then("the bot runs {int} tools at once", async function (this: SidetoneWorld, count: number) {
  this.note(await expectParallelTools(this.call, { count, limitMs: TOOL_LIMIT_MS }));
});

/** Names with commas between them; the AI calls them in this order within 10 s. */
Then(
  "the bot calls the tools {string} in order",
  async function (this: SidetoneWorld, list: string) {
    const names = list.split(",").map((name) => name.trim());
    this.note(await expectToolOrder(this.call, { names, limitMs: TOOL_LIMIT_MS }));
  },
);

/** Objects, lists, true, false and null as JSON; anything else, numbers too, as text or quoted. */
function jsonOrText(cell: string): unknown {
  if (!/^(?:\{|\[|"|true$|false$|null$)/u.test(cell)) return cell;
  try {
    return JSON.parse(cell) as unknown;
  } catch (cause) {
    throw new UsageError(
      "ERR_TABLE_MALFORMED",
      "A value in the table of arguments looks like JSON but is not. Put plain text without braces.",
      { cause },
    );
  }
}
