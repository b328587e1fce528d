/** Why we do not accept parameters of RFC 4568 §6.3 that we know. */
const REFUSED: Readonly<Record<string, string>> = {
  UNENCRYPTED_SRTP: "it asks for unencrypted RTP (UNENCRYPTED_SRTP)",
  UNENCRYPTED_SRTCP: "it asks for unencrypted RTCP (UNENCRYPTED_SRTCP)",
  UNAUTHENTICATED_SRTP: "it asks for unauthenticated RTP (UNAUTHENTICATED_SRTP)",
  KDR: "it asks for keys that are derived anew during the call (KDR)",
  FEC_ORDER: "it asks for forward error correction (FEC_ORDER)",
  FEC_KEY: "it asks for forward error correction (FEC_KEY)",
};

/** A hint for the size of the replay window, of at least 64; ours is as large as it is. */
const WINDOW_SIZE_HINT = /^WSH=(\d{2,5})$/;
const WINDOW_SIZE_HINT_MIN = 64;

/**
 * The first of the session parameters that keeps us from accepting a line, as half a sentence.
 * Extensions with a "-" before them may be ignored (RFC 4568 §6.3.7), others may not.
 */
export function unsupportedParameter(parameters: readonly string[]): string | undefined {
  for (const parameter of parameters) {
    const reason = reasonAgainst(parameter);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function reasonAgainst(parameter: string): string | undefined {
  const hint = WINDOW_SIZE_HINT.exec(parameter)?.[1];
  if (hint !== undefined && Number(hint) >= WINDOW_SIZE_HINT_MIN) return undefined;
  const [name = ""] = parameter.split("=", 1);
  if (Object.hasOwn(REFUSED, name)) return REFUSED[name];
  return parameter.startsWith("-") ? undefined : "it has a session parameter that is not supported";
}
