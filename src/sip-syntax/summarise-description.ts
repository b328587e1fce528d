/** The audio of a session description at a glance. */
export interface DescriptionSummary {
  /** "192.0.2.1:40000"; port 0 is a refused medium. */
  readonly address: string;
  /** Names as in a=rtpmap, or of the static payload types (RFC 3551 §6): "PCMU", "opus", …. */
  readonly codecs: readonly string[];
  readonly direction: "sendrecv" | "sendonly" | "recvonly" | "inactive";
  readonly isEncrypted: boolean;
}

/** RFC 3551 §6, as far as telephones use them without a=rtpmap. */
const STATIC_NAMES: Readonly<Record<string, string>> = {
  "0": "PCMU",
  "3": "GSM",
  "4": "G723",
  "8": "PCMA",
  "9": "G722",
  "13": "CN",
  "18": "G729",
};

/** Reads the first audio medium; `undefined` where there is none. It takes any text. */
export function summariseDescription(sdp: string): DescriptionSummary | undefined {
  const lines = sdp.split(/\r?\n/u);
  const start = lines.findIndex((line) => line.startsWith("m=audio "));
  if (start === -1) return undefined;
  const firstMedium = lines.findIndex((line) => line.startsWith("m="));
  const next = lines.findIndex((line, index) => index > start && line.startsWith("m="));
  const own = lines.slice(start, next === -1 ? undefined : next);
  // What a medium does not say holds as the session says (RFC 8866 §5.7, §6.7).
  const inherited = [...own, ...lines.slice(0, firstMedium)];
  const [, port = "", protocol = "", ...formats] = (lines[start] ?? "").split(" ");
  const address = inherited.find((line) => line.startsWith("c="))?.split(" ")[2] ?? "?";
  return {
    address: `${address}:${port.split("/")[0]}`,
    codecs: formats.map((format) => codecName(own, format)),
    direction: directionOf(inherited),
    isEncrypted: protocol.includes("SAVP"),
  };
}

function codecName(lines: readonly string[], format: string): string {
  const mapping = lines.find((line) => line.startsWith(`a=rtpmap:${format} `));
  return mapping?.split(" ")[1]?.split("/")[0] ?? STATIC_NAMES[format] ?? format;
}

function directionOf(lines: readonly string[]): DescriptionSummary["direction"] {
  const line = lines.find((each) => /^a=(?:sendrecv|sendonly|recvonly|inactive)\s*$/u.test(each));
  return (line?.slice(2).trim() ?? "sendrecv") as DescriptionSummary["direction"];
}
