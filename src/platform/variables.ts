/** The entries of an environment variable, separated by commas; none where it is not set. */
export function variableList(name: string): readonly string[] {
  const text = process.env[name] ?? "";
  return text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

/** Says something on standard error that concerns the host, as Node's own warnings do. */
export function warnOnce(text: string): void {
  process.emitWarning(text, "SidetoneWarning");
}
