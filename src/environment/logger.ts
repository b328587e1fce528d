/** Values that may stand beside a log message. Never secrets, transcripts or telephone numbers. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Where diagnostic messages go. A message is a constant text; what varies stands in `fields`. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

const ignore = (): void => {};

/** A logger that says nothing. */
export const SILENT_LOGGER: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
