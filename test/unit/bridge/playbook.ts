import { readFileSync } from "node:fs";
import type { AiEvent } from "../../../src/bridge/index.ts";
import type {
  ProtocolOutput,
  ProviderProtocol,
} from "../../../src/bridge/provider/provider-protocol.ts";
import { type Instant, instant } from "../../../src/environment/index.ts";

/** A line of a playbook; see fixtures/openai/README.md. */
export interface PlaybookLine {
  readonly note?: string;
  readonly options?: object;
  readonly ms?: number;
  readonly received?: object;
  readonly do?: string;
  readonly arguments?: readonly unknown[];
  readonly event?: object;
  readonly sent?: Record<string, unknown>;
  readonly connect?: boolean;
}

/** The instant at which each engine under test begins. */
export const START: Instant = instant(1000);

/** The options of the session that a playbook is about; what it does not name is as always. */
export function playbookOptions(file: URL): object {
  const [first = "{}"] = readFileSync(file, "utf8").split("\n", 1);
  return (JSON.parse(first) as PlaybookLine).options ?? {};
}

/** Inputs of a playbook, each with what must come out of the engine before the next. */
export function playbook(file: URL): { input: PlaybookLine; expected: PlaybookLine[] }[] {
  const lines = readFileSync(file, "utf8").trim().split("\n");
  const steps: { input: PlaybookLine; expected: PlaybookLine[] }[] = [];
  for (const line of lines.slice(1).map((text) => JSON.parse(text) as PlaybookLine)) {
    if (line.received !== undefined || line.do !== undefined) {
      steps.push({ input: line, expected: [] });
    } else {
      steps.at(-1)?.expected.push(line);
    }
  }
  return steps;
}

/** Gives a playbook's input to an engine. */
export function perform(engine: ProviderProtocol, line: PlaybookLine): void {
  const now = instant(START + (line.ms ?? 0));
  if (line.received !== undefined) {
    receive(engine, line.received, now);
    return;
  }
  const [first, second, third] = line.arguments ?? [];
  switch (line.do) {
    case "handleOpen":
      engine.handleOpen(now);
      break;
    case "handleTimeout":
      engine.handleTimeout(now);
      break;
    case "truncate":
      engine.truncate(first as string, second as number, now);
      break;
    case "cancelResponse":
      engine.cancelResponse(first as string, now);
      break;
    case "requestResponse":
      engine.requestResponse(first as string | undefined, now);
      break;
    case "sendToolResult": {
      const { respond } = third as { respond: boolean };
      engine.sendToolResult(first as string, second as string, respond, now);
      break;
    }
    case "handleClose":
      engine.handleClose(first as number, second as string, now);
      break;
    case undefined:
    default:
      throw new Error(`Unknown step ${line.do}`);
  }
}

/** One message of the server. */
export function receive(engine: ProviderProtocol, message: object, now: Instant = START): void {
  engine.handleMessage(JSON.stringify(message), now);
}

/** All that the engine has put out. */
export function drain(engine: ProviderProtocol): ProtocolOutput[] {
  const outputs: ProtocolOutput[] = [];
  for (let next = engine.takeOutput(); next !== undefined; next = engine.takeOutput()) {
    outputs.push(next);
  }
  return outputs;
}

/** The neutral events among them. */
export function events(outputs: readonly ProtocolOutput[]): AiEvent[] {
  return outputs.filter((output) => output.kind === "event").map((output) => output.event);
}

/** The messages for the server among them. */
export function sent(outputs: readonly ProtocolOutput[]): Record<string, unknown>[] {
  return outputs
    .filter((output) => output.kind === "send")
    .map((output) => JSON.parse(output.text) as Record<string, unknown>);
}

/** As the playbook writes outputs: audio as its number of samples. */
export function written(output: ProtocolOutput): PlaybookLine | undefined {
  if (output.kind === "send") return { sent: JSON.parse(output.text) as Record<string, unknown> };
  if (output.kind === "connect") return { connect: true };
  if (output.kind !== "event") return undefined;
  const { event } = output;
  return { event: event.type === "audio" ? { ...event, samples: event.samples.length } : event };
}
