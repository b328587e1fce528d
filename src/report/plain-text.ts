// Escape sequences of terminals (ECMA-48 CSI), which test runners put into messages.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the point.
// oxlint-disable-next-line no-control-regex -- Control characters are the point.
const TERMINAL_CODES = /\u001b\[[0-9;]*[A-Za-z]/gu;

/** A text without colours and other codes of terminals. */
export function plainText(text: string): string {
  return text.replaceAll(TERMINAL_CODES, "");
}
