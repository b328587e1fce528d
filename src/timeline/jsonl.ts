import { UsageError } from "../environment/index.ts";
import type { Fact } from "./facts.ts";

/** One line per fact, keys as declared, instants in ms with three decimals (1 µs). */
export function encodeFacts(facts: readonly Fact[]): string {
  return facts
    .map((fact) => `${JSON.stringify(fact, (_key, value: unknown) => roundInstant(value))}\n`)
    .join("");
}

function roundInstant(value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value)
    ? Math.round(value * 1000) / 1000
    : value;
}

/**
 * Reads what `encodeFacts` wrote.
 * @throws UsageError ERR_TIMELINE_MALFORMED with the line's number.
 */
export function decodeFacts(text: string): Fact[] {
  const facts: Fact[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    facts.push(decodeLine(line, index + 1));
  }
  return facts.toSorted((left, right) => left.at - right.at);
}

function decodeLine(line: string, lineNumber: number): Fact {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw malformed(lineNumber, "is not JSON", cause);
  }
  if (typeof value !== "object" || value === null || !("kind" in value) || !("at" in value)) {
    throw malformed(lineNumber, "is not a fact (it has no kind or no instant)");
  }
  return value as Fact;
}

function malformed(lineNumber: number, what: string, cause?: unknown): UsageError {
  return new UsageError(
    "ERR_TIMELINE_MALFORMED",
    `Line ${lineNumber} of the timeline ${what}. Was the file cut short or edited?`,
    { context: { lineNumber }, cause },
  );
}
