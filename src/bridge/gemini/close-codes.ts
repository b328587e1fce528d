import type { SidetoneError } from "../../environment/index.ts";
import { closedByServer, settingsRejected, unauthorized } from "../provider/session-errors.ts";

const KEY_WORDS = /api.?key|token|credential|permission|unauthori[sz]ed|forbidden/iu;

/** Gemini has no error messages: it closes the socket, with a code and a reason. */
export function closeFailure(close: {
  readonly host: string;
  readonly code: number;
  readonly detail: string;
  readonly wasReady: boolean;
}): SidetoneError {
  const { host, code, detail, wasReady } = close;
  if (code === 1008 && KEY_WORDS.test(detail)) return unauthorized(host, `close code ${code}`);
  if (!wasReady && (code === 1007 || code === 1008)) return settingsRejected(String(code), detail);
  return closedByServer(code, detail);
}
