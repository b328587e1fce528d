import { MKI_BYTES_MAX, type SrtpKeys } from "./keys.ts";
import { keyBytes, type SrtpSuite, saltBytes } from "./suites.ts";

/** What an "inline:" key parameter says. */
export interface KeyInformation {
  readonly keys: SrtpKeys;
  readonly lifetimePackets?: number;
}

const INLINE = "inline:";
const LIFETIME = /^(2\^)?(\d{1,15})$/;
/** As many packets as a rollover count and a sequence number can tell apart (RFC 3711 §9.2). */
const LIFETIME_MAX = 2 ** 48;
/** 309 digits are enough for 128 bytes. */
const MKI = /^(\d{1,309}):(\d{1,3})$/;

/**
 * Reads the key parameter of an `a=crypto` line: "inline:" key and salt in base64, then optionally
 * "|" lifetime and "|" MKI ":" its length in bytes (RFC 4568 §6.1).
 * @returns half a sentence without anything secret where it is not acceptable.
 */
export function parseKeyInformation(suite: SrtpSuite, text: string): KeyInformation | string {
  if (text.includes(";")) return "it has several master keys";
  if (!text.startsWith(INLINE)) return "its key is not given inline";
  const [material = "", ...fields] = text.slice(INLINE.length).split("|");
  const bytes = decodeBase64(material);
  const wantedBytes = keyBytes(suite) + saltBytes(suite);
  if (bytes?.length !== wantedBytes) return `its key is not base64 of ${wantedBytes} bytes`;
  const options = parseFields(fields);
  if (typeof options === "string") return options;
  const { mki, lifetimePackets } = options;
  const masterKey = bytes.slice(0, keyBytes(suite));
  const masterSalt = bytes.slice(keyBytes(suite));
  const keys: SrtpKeys = { suite, masterKey, masterSalt, ...(mki && { mki }) };
  return { keys, ...(lifetimePackets !== undefined && { lifetimePackets }) };
}

/** Writes the key parameter of an `a=crypto` line, without lifetime: the default is the longest. */
export function writeKeyInformation({ masterKey, masterSalt, mki }: SrtpKeys): string {
  const material = Buffer.concat([masterKey, masterSalt]).toString("base64");
  if (mki === undefined || mki.length === 0) return INLINE + material;
  const value = BigInt(`0x${Buffer.from(mki).toString("hex")}`);
  return `${INLINE}${material}|${value}:${mki.length}`;
}

/** Only canonical base64 with its padding (RFC 4648 §3): one text for one key. */
function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? new Uint8Array(bytes) : undefined;
}

interface KeyFields {
  readonly lifetimePackets?: number | undefined;
  readonly mki?: Uint8Array | undefined;
}

/** Either field may be missing; only an MKI has a colon. */
function parseFields(fields: readonly string[]): KeyFields | string {
  const [first, second] = fields;
  if (first === undefined) return {};
  if (fields.length > 2) return "its key has too many fields";
  const startsWithMki = second === undefined && first.includes(":");
  const lifetimePackets = startsWithMki ? undefined : parseLifetime(first);
  if (!startsWithMki && lifetimePackets === undefined) return "its key lifetime is malformed";
  const mkiText = startsWithMki ? first : second;
  const mki = mkiText === undefined ? undefined : parseMki(mkiText);
  if (mkiText !== undefined && mki === undefined) return "its MKI is malformed";
  return { lifetimePackets, mki };
}

function parseLifetime(text: string): number | undefined {
  const [, power, digits = ""] = LIFETIME.exec(text) ?? [];
  const packets = power === undefined ? Number(digits) : 2 ** Number(digits);
  return packets >= 1 && packets <= LIFETIME_MAX ? packets : undefined;
}

function parseMki(text: string): Uint8Array | undefined {
  const [, value = "", length = ""] = MKI.exec(text) ?? [];
  const bytes = Number(length);
  if (bytes < 1 || bytes > MKI_BYTES_MAX) return undefined;
  const hex = BigInt(value)
    .toString(16)
    .padStart(bytes * 2, "0");
  return hex.length === bytes * 2 ? new Uint8Array(Buffer.from(hex, "hex")) : undefined;
}
