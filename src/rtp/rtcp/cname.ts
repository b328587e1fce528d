import { type Random, randomToken } from "../../environment/index.ts";

/** 16 of 62 characters are 95 bits; RFC 7022 §4.2 wants 96 as base64, also 16 characters. */
const CNAME_CHARACTERS = 16;

/**
 * A canonical name for one session (RFC 7022 §4.2, "short-term persistent"): random, so that it
 * tells nothing about the host or the user and links no two calls.
 */
export function randomCname(random: Random): string {
  return randomToken(random, CNAME_CHARACTERS);
}
