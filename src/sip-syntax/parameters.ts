/** Parameters of a header or URI; names in lower case, `null` where there is no "=". */
export type ParameterMap = Record<string, string | null>;

const TOKEN = /^[A-Za-z0-9\-.!%*_+`'~]+$/;

/** Whether `text` is a token (RFC 3261 §25.1). */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/**
 * Splits at `separator` where it stands outside of quoted strings and angle brackets, and trims
 * the parts; `undefined` where a quote or bracket is left open.
 */
export function splitOutsideQuotes(text: string, separator: "," | ";"): string[] | undefined {
  if (!text.includes(separator)) return [text.trim()];
  const parts: string[] = [];
  let start = 0;
  let index = 0;
  while (index < text.length) {
    const character = text.charAt(index);
    if (character === '"' || character === "<") {
      index = character === '"' ? quotedStringEnd(text, index) : text.indexOf(">", index) + 1;
      if (index === 0) return undefined;
      continue;
    }
    if (character === separator) {
      parts.push(text.slice(start, index).trim());
      start = index + 1;
    }
    index += 1;
  }
  parts.push(text.slice(start).trim());
  return parts;
}

/** The index behind the quoted string that begins at `start`; 0 where it is left open. */
export function quotedStringEnd(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index += 1) {
    const character = text.charAt(index);
    if (character === "\\") index += 1;
    else if (character === '"') return index + 1;
  }
  return 0;
}

/**
 * Reads ";name=value;name" (RFC 3261 §7.3.1, generic-param), white space around ";" and "=" allowed.
 * @returns `undefined` where a name is not a token or a quote is left open.
 */
export function parseParameters(text: string): ParameterMap | undefined {
  const parameters: ParameterMap = {};
  const trimmed = text.trim();
  if (trimmed === "") return parameters;
  if (!trimmed.startsWith(";")) return undefined;
  const parts = splitOutsideQuotes(trimmed.slice(1), ";");
  if (parts === undefined) return undefined;
  for (const part of parts) {
    if (part === "") continue; // ";;" is malformed, but does no harm.
    const equals = part.indexOf("=");
    const name = (equals === -1 ? part : part.slice(0, equals)).trim().toLowerCase();
    if (!isToken(name)) return undefined;
    // Assigning null to it would take the object's prototype away, which sip.js relies on.
    if (name === "__proto__") continue;
    parameters[name] = equals === -1 ? null : part.slice(equals + 1).trim();
  }
  return parameters;
}
