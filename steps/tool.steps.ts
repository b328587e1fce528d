import { type DataTable, Then } from "@cucumber/cucumber";
import { expectToolCall, UsageError } from "../src/index.ts";
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
