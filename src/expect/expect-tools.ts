import type { WatchedCall } from "../call/index.ts";
import { ExpectationError, elapsedMs } from "../environment/index.ts";
import { formatMs } from "../measure/index.ts";
import type { Fact, FactOf } from "../timeline/index.ts";

type ToolFact = FactOf<"toolCall">;

/**
 * The bot's tool has ended well within `limitMs` of now (or did so before): the AI was told so.
 * @throws ExpectationError ERR_TOOL_NOT_FINISHED.
 */
export async function expectToolSuccess(
  call: WatchedCall,
  { name, limitMs }: { readonly name: string; readonly limitMs: number },
): Promise<string> {
  const fact = await endOf(call, { name, limitMs, event: "finished" });
  if (fact !== undefined) return `${name} → ${fact.result ?? ""}`;
  throw notFinished(call, name, `succeed within ${formatMs(limitMs)}`);
}

/**
 * The bot's tool has failed with this code, and the AI was told why.
 * @throws ExpectationError ERR_TOOL_NOT_FINISHED.
 */
export async function expectToolFailure(
  call: WatchedCall,
  {
    name,
    code,
    limitMs,
  }: { readonly name: string; readonly code: string; readonly limitMs: number },
): Promise<string> {
  const fact = await endOf(call, { name, limitMs, event: "failed", code });
  if (fact !== undefined) return `${name} → ${fact.result ?? ""}`;
  throw notFinished(call, name, `fail with ${code} within ${formatMs(limitMs)}`);
}

/**
 * What the bot's AI was told of a tool that ended, well or not, holds this text: a part of it, with
 * regard to case.
 * @throws ExpectationError ERR_TOOL_ANSWER_DIFFERS, ERR_TOOL_NOT_FINISHED.
 */
export async function expectToolAnswer(
  call: WatchedCall,
  {
    name,
    text,
    limitMs,
  }: { readonly name: string; readonly text: string; readonly limitMs: number },
): Promise<string> {
  const isEnd = (fact: Fact): fact is ToolFact =>
    fact.kind === "toolCall" &&
    fact.name === name &&
    (fact.event === "finished" || fact.event === "failed");
  const holdsText = (fact: ToolFact): boolean => fact.result?.includes(text) === true;
  await call.waitFor((fact) => isEnd(fact) && holdsText(fact), limitMs);
  const ended = call.timeline.facts.filter(isEnd);
  const found = ended.find(holdsText);
  if (found !== undefined) return `${name} → ${found.result ?? ""}`;
  if (ended.length === 0) throw notFinished(call, name, `end within ${formatMs(limitMs)}`);
  const observed = ended.map(({ result }) => result ?? "nothing");
  throw new ExpectationError(
    "ERR_TOOL_ANSWER_DIFFERS",
    `Expected the AI to be told "${text}" of ${name} within ${formatMs(limitMs)}; it was told ${observed.join(", then ")}.`,
    { context: { expected: text, observed } },
  );
}

/**
 * So many tools are under way at the same time: all of them called, and begun, before the first of
 * them ended.
 * @throws ExpectationError ERR_TOOLS_NOT_PARALLEL.
 */
export async function expectParallelTools(
  call: WatchedCall,
  { count, limitMs }: { readonly count: number; readonly limitMs: number },
): Promise<string> {
  const isReached = (): boolean => mostAtOnce(call).length >= count;
  await call.waitFor((fact) => fact.kind === "toolCall" && isReached(), limitMs);
  const most = mostAtOnce(call);
  if (most.length >= count) return `at once: ${most.join(", ")}`;
  throw new ExpectationError(
    "ERR_TOOLS_NOT_PARALLEL",
    `Expected ${count} tools at the same time within ${formatMs(limitMs)}; there were ${most.length} at most${most.length === 0 ? "" : ` (${most.join(", ")})`}.`,
    { context: { expected: count, observed: most } },
  );
}

/**
 * The bot calls these tools in this order; others may come in between.
 * @throws ExpectationError ERR_TOOL_ORDER.
 */
export async function expectToolOrder(
  call: WatchedCall,
  { names, limitMs }: { readonly names: readonly string[]; readonly limitMs: number },
): Promise<string> {
  const isReached = (): boolean => isInOrder(calledNames(call), names);
  await call.waitFor((fact) => fact.kind === "toolCall" && isReached(), limitMs);
  const called = calledNames(call);
  if (isInOrder(called, names)) return called.join(", ");
  throw new ExpectationError(
    "ERR_TOOL_ORDER",
    `Expected the bot to call ${names.join(", then ")} within ${formatMs(limitMs)}; it called ${called.length === 0 ? "none" : called.join(", then ")}.`,
    { context: { expected: names, observed: called } },
  );
}

/** What an HTTP request of the bot must be like. */
export interface ExpectedRequest {
  readonly method: string;
  /** All of it; without a query, any query will do. */
  readonly url: string;
  /** JSON that must be in the body, or its text. */
  readonly body?: string;
  readonly limitMs: number;
}

/**
 * The bot makes this HTTP request. Where a server of the scenario stands in for the host, the
 * request must have arrived there; else it must have been sent and answered.
 * @throws ExpectationError ERR_HTTP_NOT_REQUESTED, ERR_HTTP_BODY_DIFFERS.
 */
export async function expectHttpRequest(
  call: WatchedCall,
  expected: ExpectedRequest,
  standIns: readonly string[],
): Promise<string> {
  const { method, url, body, limitMs } = expected;
  const isStoodIn = standIns.some((origin) => url === origin || url.startsWith(`${origin}/`));
  const direction = isStoodIn ? "received" : "sent";
  const isMeant = (fact: Fact): fact is FactOf<"httpRequest"> =>
    fact.kind === "httpRequest" &&
    fact.direction === direction &&
    fact.statusCode !== undefined &&
    fact.method === method.toUpperCase() &&
    (fact.url === url || fact.url.replace(/\?.*$/u, "") === url);
  await call.waitFor((fact) => isMeant(fact) && holds(fact.body, body), limitMs);
  const requests = call.timeline.of("httpRequest");
  const meant = requests.filter(isMeant);
  if (meant.length === 0) throw notRequested(requests, expected);
  const found = meant.find((fact) => holds(fact.body, body));
  if (found !== undefined) return `${found.method} ${found.url} → ${found.statusCode ?? ""}`;
  throw new ExpectationError(
    "ERR_HTTP_BODY_DIFFERS",
    `${method} ${url} came with another body than expected; see the httpRequest facts of the call.`,
    { context: { method, url, expected: body, observed: meant.map((fact) => fact.body) } },
  );
}

function notRequested(
  requests: readonly FactOf<"httpRequest">[],
  { method, url, limitMs }: ExpectedRequest,
): ExpectationError {
  const others = requests.map((each) => {
    const what = each.statusCode ?? each.code ?? "";
    return `${each.method} ${each.url} (${each.direction}, ${what})`;
  });
  return new ExpectationError(
    "ERR_HTTP_NOT_REQUESTED",
    `Expected the bot to request ${method} ${url} within ${formatMs(limitMs)}; it requested ${others.length === 0 ? "nothing" : others.join(", ")}.`,
    { context: { method, url, limitMs, observed: others } },
  );
}

/** Whether a body is the text wanted, or JSON with at least the fields wanted. */
function holds(observed: string | undefined, wanted: string | undefined): boolean {
  if (wanted === undefined || observed === wanted) return true;
  const fields = jsonObject(wanted);
  const body = jsonObject(observed ?? "");
  if (fields === undefined || body === undefined) return false;
  return Object.entries(fields).every(
    ([key, value]) => JSON.stringify(body[key]) === JSON.stringify(value),
  );
}

function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === "object" && value !== null
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}

async function endOf(
  call: WatchedCall,
  wanted: {
    readonly name: string;
    readonly event: "finished" | "failed";
    readonly code?: string;
    readonly limitMs: number;
  },
): Promise<ToolFact | undefined> {
  const { name, event, code, limitMs } = wanted;
  const fact = await call.waitFor(
    (each) =>
      each.kind === "toolCall" &&
      each.event === event &&
      each.name === name &&
      (code === undefined || each.code === code),
    limitMs,
  );
  return fact?.kind === "toolCall" ? fact : undefined;
}

function notFinished(call: WatchedCall, name: string, expected: string): ExpectationError {
  const ends = call.timeline
    .of("toolCall")
    .filter((fact) => fact.name === name)
    .map(({ event, code, result }) => {
      if (event !== "failed") return event;
      return `failed with ${code ?? "no code"}${result === undefined ? "" : `: ${result}`}`;
    });
  const observed = ends.length === 0 ? "it was not called" : `it was ${ends.join(", ")}`;
  return new ExpectationError(
    "ERR_TOOL_NOT_FINISHED",
    `Expected the tool "${name}" to ${expected}; ${observed}.`,
    { context: { name, observed: ends } },
  );
}

/** The names of the tools that were under way together when most of them were. */
function mostAtOnce(call: WatchedCall): readonly string[] {
  const facts = call.timeline.of("toolCall");
  const running = facts
    .filter(({ event }) => event === "started")
    .map((start) => {
      const end = facts.find(
        (fact) =>
          fact.toolCallId === start.toolCallId &&
          (fact.event === "finished" || fact.event === "failed"),
      );
      return { start, end };
    });
  return running.reduce<readonly string[]>((most, { start }) => {
    const together = running.filter(
      (each) =>
        elapsedMs(each.start.at, start.at) >= 0 &&
        (each.end === undefined || elapsedMs(start.at, each.end.at) > 0),
    );
    return together.length > most.length ? together.map((each) => each.start.name) : most;
  }, []);
}

function calledNames(call: WatchedCall): readonly string[] {
  const called = call.timeline.of("toolCall").filter(({ event }) => event === "called");
  return called.map(({ name }) => name);
}

function isInOrder(observed: readonly string[], wanted: readonly string[]): boolean {
  let next = 0;
  for (const name of observed) if (name === wanted[next]) next += 1;
  return next === wanted.length;
}
