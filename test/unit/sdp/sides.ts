import { isSidetoneError } from "../../../src/environment/index.ts";
import {
  type LocalFormat,
  type MediaCapabilities,
  type NegotiatedMedia,
  OfferAnswer,
  parseSdp,
  type SessionDescription,
  type SrtpCapability,
  type SrtpPolicy,
} from "../../../src/sdp/index.ts";
import { keyBytes, SRTP_SUITES, type SrtpSuite, saltBytes } from "../../../src/srtp/index.ts";

export const PCMU: LocalFormat = {
  id: "PCMU",
  name: "PCMU",
  payloadType: 0,
  clockRateHz: 8000,
};
export const PCMA: LocalFormat = { ...PCMU, id: "PCMA", name: "PCMA", payloadType: 8 };
export const G722: LocalFormat = { ...PCMU, id: "G722", name: "G722", payloadType: 9 };
export const OPUS: LocalFormat = {
  id: "opus",
  name: "opus",
  payloadType: 96,
  clockRateHz: 48_000,
  channels: 2,
  fmtp: "useinbandfec=1;minptime=10",
};
export const L16_16000: LocalFormat = {
  id: "L16/16000",
  name: "L16",
  payloadType: 97,
  clockRateHz: 16_000,
};
export const L16_8000: LocalFormat = {
  ...L16_16000,
  id: "L16/8000",
  payloadType: 98,
  clockRateHz: 8000,
};
export const ALL_CODECS: readonly LocalFormat[] = [PCMU, PCMA, G722, OPUS, L16_16000, L16_8000];

const CALLER: MediaCapabilities = {
  address: "192.0.2.1",
  port: 40_000,
  codecs: ALL_CODECS,
  telephoneEvents: true,
  comfortNoise: true,
  ptimeMs: 20,
  sessionId: 1000,
  rtcp: { mode: "mux", port: 40_001 },
  rtcpXr: true,
  srtp: { policy: "off", offers: [] },
};
const BOT: MediaCapabilities = {
  ...CALLER,
  address: "192.0.2.2",
  port: 50_000,
  sessionId: 2000,
  rtcp: { mode: "mux", port: 50_001 },
};

/** A side that calls. */
export function caller(capabilities: Partial<MediaCapabilities> = {}): OfferAnswer {
  return new OfferAnswer({ ...CALLER, ...capabilities });
}

/** A side that is called. */
export function bot(capabilities: Partial<MediaCapabilities> = {}): OfferAnswer {
  return new OfferAnswer({ ...BOT, ...capabilities });
}

/** One exchange; returns both results. */
export function exchange(
  offerer: OfferAnswer,
  answerer: OfferAnswer,
): { readonly offerer: NegotiatedMedia; readonly answerer: NegotiatedMedia } {
  offerer.acceptAnswer(answerer.acceptOffer(offerer.createOffer()));
  return { offerer: negotiatedOf(offerer), answerer: negotiatedOf(answerer) };
}

/** What was agreed on; fails the test if nothing was. */
export function negotiatedOf(side: OfferAnswer): NegotiatedMedia {
  if (side.negotiated === undefined) throw new Error("Nothing was negotiated.");
  return side.negotiated;
}

/** Keys with bytes that tell whose they are; `seed` must differ between the sides. */
export function srtp(
  policy: SrtpPolicy,
  seed: number,
  suites: readonly SrtpSuite[] = SRTP_SUITES,
): SrtpCapability {
  const offers = suites.map((suite, index) => ({
    tag: index + 1,
    keys: {
      suite,
      masterKey: new Uint8Array(keyBytes(suite)).fill(seed + index),
      masterSalt: new Uint8Array(saltBytes(suite)).fill(seed + 100 + index),
    },
  }));
  return { policy, offers };
}

/** A description from lines below `t=`, with an address. */
export function description(...more: readonly string[]): string {
  const head = ["v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-", "c=IN IP4 192.0.2.9", "t=0 0"];
  return [...head, ...more].join("\r\n");
}

/** The lines of a description that begin so. */
export function linesOf(text: string, prefix: string): string[] {
  return text.split("\r\n").filter((line) => line.startsWith(prefix));
}

export function parsed(text: string): SessionDescription {
  const session = parseSdp(text);
  if (session.kind !== "session") throw new Error(session.reason);
  return session;
}

/** The error that is thrown, as code and message; anything but our own fails the test. */
export function errorOf(action: () => unknown): { readonly code: string; readonly text: string } {
  try {
    action();
  } catch (error) {
    if (isSidetoneError(error)) return { code: error.code, text: error.message };
    throw error;
  }
  return { code: "nothing thrown", text: "" };
}
