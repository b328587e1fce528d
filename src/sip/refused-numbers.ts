import {
  COUNTRY_PREMIUM_PREFIXES,
  EMERGENCY_ELSEWHERE,
  EMERGENCY_NUMBERS,
  NATIONAL_PREMIUM_PATTERNS,
  PREMIUM_PATTERNS,
} from "./number-lists.ts";

/** Why a number is not called. `short`: an emergency number somewhere, an extension elsewhere. */
export type RefusedNumber = "emergency" | "premium" | "short";

/** No telephone number is as short as a country code with an emergency number behind it. */
const SHORTEST_INTERNATIONAL_DIGITS = 7;
/** National numbers without trunk prefix are shorter than most written with a country code. */
const SHORTEST_BARE_INTERNATIONAL_DIGITS = 10;
/** Dialled for a line to the outside, in front of the number. */
const OUTSIDE_LINE = /^[09]\d{3}/u;

/**
 * Whether the user part of a SIP URI, or the number of a `tel:` URI, is one that a test must never
 * call. What is no number at all ("bot") never is.
 *
 * It does not know in which country a call ends: a number in the international form is judged by
 * its country, any other by what it could be anywhere.
 *
 * @param user as it stands in the URI: escapes, separators and parameters may be in it.
 * @param context of a local number: "+49" (RFC 3966 §5.1.5); default: the one in `user`.
 */
export function refusedNumber(user: string, context?: string): RefusedNumber | undefined {
  const [before = "", ...parameters] = unescaped(user).split(";");
  if (isSos(before)) return "emergency";
  const dialled = digitsOf(before);
  if (dialled === undefined) return undefined;
  const inParameter = /^phone-context=(.*)$/iu;
  const found = parameters.map((each) => inParameter.exec(each.trim())?.[1]).find(Boolean);
  const forms = formsOf(dialled, countryOf(context ?? found));
  return forms.map(kindOf).find((kind) => kind !== undefined);
}

/** One way in which an exchange may understand what was dialled. */
interface NumberForm {
  readonly digits: string;
  /** Begins with a country code. */
  readonly isInternational: boolean;
}

function kindOf({ digits, isInternational }: NumberForm): RefusedNumber | undefined {
  if (isInternational) {
    if (digits.length < SHORTEST_INTERNATIONAL_DIGITS && endsInEmergency(digits)) {
      return "emergency";
    }
    const isPremium =
      COUNTRY_PREMIUM_PREFIXES.some((prefix) => digits.startsWith(prefix)) ||
      PREMIUM_PATTERNS.some((pattern) => pattern.test(digits));
    return isPremium ? "premium" : undefined;
  }
  if (EMERGENCY_NUMBERS.has(digits)) return "emergency";
  if (NATIONAL_PREMIUM_PATTERNS.some((pattern) => pattern.test(digits))) return "premium";
  return EMERGENCY_ELSEWHERE.has(digits) ? "short" : undefined;
}

/** "+49112", and "00112": behind a country code of one to three digits, or behind none. */
function endsInEmergency(digits: string): boolean {
  return [0, 1, 2, 3].some((length) => EMERGENCY_NUMBERS.has(digits.slice(length)));
}

function formsOf(dialled: string, country: string | undefined): readonly NumberForm[] {
  if (dialled.startsWith("+")) return [{ digits: dialled.slice(1), isInternational: true }];
  const forms: NumberForm[] = [];
  for (const digits of [dialled, ...withoutOutsideLine(dialled)]) {
    forms.push({ digits, isInternational: false });
    // As dialled from Europe, North America, Australia and Japan.
    for (const exit of ["00", "011", "0011", "010"]) {
      if (digits.startsWith(exit)) {
        forms.push({ digits: digits.slice(exit.length), isInternational: true });
      }
    }
    if (country !== undefined) {
      forms.push({ digits: country + digits.replace(/^0/u, ""), isInternational: true });
    }
    // Many exchanges want the international form without "+".
    if (digits.length >= SHORTEST_BARE_INTERNATIONAL_DIGITS && !digits.startsWith("0")) {
      forms.push({ digits, isInternational: true });
    }
  }
  return forms;
}

function withoutOutsideLine(dialled: string): readonly string[] {
  // An extension such as 9000 is far more frequent than "9" for a line and Australia's 000.
  const isExtension = dialled === "9000";
  return OUTSIDE_LINE.test(dialled) && !isExtension ? [dialled.slice(1)] : [];
}

/** The digits that would be dialled, with "+" where it was there; `undefined` for a name. */
function digitsOf(user: string): string | undefined {
  const [number = ""] = user
    .normalize("NFKC")
    .replaceAll(/[\s().\-\u2010-\u2015]/gu, "")
    // RFC 3966 has no password, SIP URIs have. Behind a pause come digits for later.
    .split(/[:,pw]/iu);
  // Service codes before the number, as "*31#" (do not show my number), are part of dialling it.
  const plain = number.replace(/^(?:[*#]+\d{1,3}[*#]+)+/u, "").replace(/#$/u, "");
  const withShortCode = /^[*#]\d{2}(\+?\d{3,})$/u.exec(plain);
  const digits = withShortCode?.[1] ?? plain;
  return /^\+?\d+$/u.test(digits) ? digits : undefined;
}

function countryOf(context: string | undefined): string | undefined {
  const digits = context?.trim().replaceAll(/[.\-()]/gu, "");
  return digits !== undefined && /^\+\d{1,4}$/u.test(digits) ? digits.slice(1) : undefined;
}

/** RFC 5031's service names, as user part: sos, sos.police, … */
function isSos(user: string): boolean {
  return /^sos(?:\.|$)/iu.test(user);
}

function unescaped(user: string): string {
  try {
    return decodeURIComponent(user);
  } catch {
    // Escapes that are no UTF-8 are in no number.
    return user;
  }
}
