import type { SidetoneError } from "../../environment/index.ts";
import { asObject, type JsonObject, numberField, textField } from "../provider/json-fields.ts";
import { formatMismatch } from "../provider/session-errors.ts";
import { type SessionSetting, valueAt } from "./dialects.ts";
import type { OpenAiSettings } from "./openai-options.ts";
import { formatValue } from "./session-update.ts";
import type { WireFormat } from "./wire-format.ts";

/** What of the server's session matters to us. */
export interface EffectiveSession {
  readonly interruptsResponse: boolean;
  /** The server uses a format in which our audio would be noise. */
  readonly mismatch: SidetoneError | undefined;
}

/** Reads a `session.updated`: what the server says counts, what it leaves out is as asked for. */
export function effectiveSession(session: JsonObject, asked: OpenAiSettings): EffectiveSession {
  const said = (setting: SessionSetting): unknown => {
    const place = asked.dialect.places[setting];
    return place === undefined ? undefined : valueAt(session, place);
  };
  return {
    interruptsResponse: interruptsResponse(said("turnDetection"), asked),
    mismatch:
      mismatch("input", said("inputFormat"), asked, asked.input) ??
      mismatch("output", said("outputFormat"), asked, asked.output),
  };
}

function interruptsResponse(detection: unknown, asked: OpenAiSettings): boolean {
  // Without turn detection (null), the server never interrupts itself.
  if (detection === null) return false;
  const said = asObject(detection)?.["interrupt_response"];
  return typeof said === "boolean" ? said : (asked.turnDetection?.interruptResponse ?? true);
}

function mismatch(
  direction: string,
  said: unknown,
  { dialect }: OpenAiSettings,
  asked: WireFormat,
): SidetoneError | undefined {
  if (typeof said === "string") {
    if (said === formatValue(dialect, asked)) return undefined;
    const known = /^[a-z0-9_]{1,16}$/u.test(said) ? said : "another format";
    return formatMismatch(direction, known, asked);
  }
  const format = asObject(said);
  const type = textField(format, "type");
  if (type === undefined) return undefined;
  const rateHz = numberField(format, "rate") ?? asked.sampleRateHz;
  if (type === asked.type && rateHz === asked.sampleRateHz) return undefined;
  const known = /^audio\/[a-z0-9]{1,16}$/u.test(type) ? type : "another format";
  return formatMismatch(direction, `${known} at ${rateHz} Hz`, asked);
}
