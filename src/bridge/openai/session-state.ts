import type { SidetoneError } from "../../environment/index.ts";
import { type JsonObject, numberField, objectField, textField } from "../provider/json-fields.ts";
import { formatMismatch } from "../provider/session-errors.ts";
import type { OpenAiSettings } from "./openai-options.ts";
import type { WireFormat } from "./wire-format.ts";

/** What of the server's session matters to us. */
export interface EffectiveSession {
  readonly interruptsResponse: boolean;
  /** The server uses a format in which our audio would be noise. */
  readonly mismatch: SidetoneError | undefined;
}

/**
 * Reads a `session.updated`: what the server says counts, what it leaves out is as asked for.
 * The beta's flat session is read, too.
 */
export function effectiveSession(session: JsonObject, asked: OpenAiSettings): EffectiveSession {
  const audio = objectField(session, "audio");
  const input = objectField(audio, "input");
  return {
    interruptsResponse: interruptsResponse(session, input, asked),
    mismatch:
      mismatch("input", input, asked.input) ??
      mismatch("output", objectField(audio, "output"), asked.output),
  };
}

function interruptsResponse(
  session: JsonObject,
  input: JsonObject | undefined,
  asked: OpenAiSettings,
): boolean {
  const holder = input ?? session;
  // Without turn detection (null), the server never interrupts itself.
  if (holder["turn_detection"] === null) return false;
  const said = objectField(holder, "turn_detection")?.["interrupt_response"];
  return typeof said === "boolean" ? said : (asked.turnDetection?.interruptResponse ?? true);
}

function mismatch(
  direction: string,
  side: JsonObject | undefined,
  asked: WireFormat,
): SidetoneError | undefined {
  const format = objectField(side, "format");
  const type = textField(format, "type");
  if (type === undefined) return undefined;
  const rateHz = numberField(format, "rate") ?? asked.sampleRateHz;
  if (type === asked.type && rateHz === asked.sampleRateHz) return undefined;
  const known = /^audio\/[a-z0-9]{1,16}$/u.test(type) ? type : "another format";
  return formatMismatch(direction, `${known} at ${rateHz} Hz`, asked);
}
