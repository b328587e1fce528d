import { UsageError } from "../environment/index.ts";

const POSITION = /^(?:(?:(\d+):)?(\d{1,3}):)?(\d+(?:\.\d+)?)$/u;

/**
 * `--from` and `--to` in ms: seconds ("90", "12.5"), or "1:30", "1:02:03.250".
 * @throws UsageError ERR_ANALYZE_OPTIONS.
 */
export function analysisRange(
  from: string | undefined,
  to: string | undefined,
): { readonly fromMs?: number; readonly toMs?: number } {
  const fromMs = from === undefined ? undefined : positionMs("--from", from);
  const toMs = to === undefined ? undefined : positionMs("--to", to);
  if (fromMs !== undefined && toMs !== undefined && toMs <= fromMs) {
    throw wrong(`--to ${to} does not lie behind --from ${from}`);
  }
  return {
    ...(fromMs === undefined ? {} : { fromMs }),
    ...(toMs === undefined ? {} : { toMs }),
  };
}

function positionMs(option: string, text: string): number {
  const match = POSITION.exec(text);
  if (match === null) throw wrong(`${option} ${text} is no position`);
  const [, hours = "0", minutes = "0", seconds = "0"] = match;
  return Math.round((Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000);
}

function wrong(what: string): UsageError {
  return new UsageError(
    "ERR_ANALYZE_OPTIONS",
    `${what}. Give seconds (12.5) or hours:minutes:seconds (1:02:03.250) from the start of the file.`,
  );
}
