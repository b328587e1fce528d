/** The entries of an environment variable, separated by commas; none where it is not set. */
export function variableList(name: string): readonly string[] {
  const text = process.env[name] ?? "";
  return text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

/** An environment variable, for secrets that no file and no command line should hold. */
export function variable(name: string): string | undefined {
  return process.env[name];
}

/** Says something on standard error that concerns the host, as Node's own warnings do. */
export function warnOnce(text: string): void {
  process.emitWarning(text, "SidetoneWarning");
}
