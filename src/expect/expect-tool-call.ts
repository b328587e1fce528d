import type { WatchedCall } from "../call/index.ts";
import { ExpectationError } from "../environment/index.ts";
import { formatMs } from "../measure/index.ts";
import type { Fact, FactOf } from "../timeline/index.ts";

/**
 * The bot calls this tool, with at least these arguments, within `limitMs` of now (or has done).
 * @throws ExpectationError ERR_TOOL_NOT_CALLED, ERR_TOOL_ARGUMENTS_DIFFER.
 */
export async function expectToolCall(
  call: WatchedCall,
  expected: {
    readonly name: string;
    readonly arguments?: Readonly<Record<string, unknown>>;
    readonly limitMs: number;
  },
): Promise<string> {
  const { name, limitMs } = expected;
  const isCall = (fact: Fact): boolean =>
    fact.kind === "toolCall" &&
    fact.party === "bot" &&
    fact.event === "called" &&
    fact.name === name;
  await call.waitFor(isCall, limitMs);
  const calls = call.timeline.of("toolCall").filter(({ party, event }) => {
    return party === "bot" && event === "called";
  });
  const named = calls.filter((each) => each.name === name);
  if (named.length === 0) {
    const others = calls.map((each) => each.name).join(", ");
    throw new ExpectationError(
      "ERR_TOOL_NOT_CALLED",
      `Expected the bot to call the tool "${name}" within ${formatMs(limitMs)}; it called ${others === "" ? "none" : others}.`,
      { context: { name, limitMs, called: calls.map((each) => each.name) } },
    );
  }
  const wanted = expected.arguments ?? {};
  const matching = named.find((each) => differences(wanted, each).length === 0);
  if (matching !== undefined) return `${name}(${JSON.stringify(matching.arguments)})`;
  throw new ExpectationError(
    "ERR_TOOL_ARGUMENTS_DIFFER",
    `The tool "${name}" was called with other arguments: ${differences(wanted, named.at(-1) as FactOf<"toolCall">).join("; ")}.`,
    { context: { name, wanted, observed: named.map((each) => each.arguments) } },
  );
}

/** What differs between the arguments that must be there and those that were. */
function differences(
  wanted: Readonly<Record<string, unknown>>,
  { arguments: observed }: FactOf<"toolCall">,
): string[] {
  return Object.entries(wanted)
    .filter(([key, value]) => JSON.stringify(observed[key]) !== JSON.stringify(value))
    .map(
      ([key, value]) =>
        `${key}: expected ${JSON.stringify(value)}, was ${key in observed ? JSON.stringify(observed[key]) : "missing"}`,
    );
}
