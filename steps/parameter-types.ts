import { defineParameterType } from "@cucumber/cucumber";
import type {
  AiNetwork,
  DigitMethod,
  FaultyMessage,
  MediaSettings,
  MessageAlteration,
  NetworkDirection,
  Party,
  StallConcealment,
  WantedTransport,
} from "../src/index.ts";

const DIGIT_METHODS: Readonly<Record<string, DigitMethod>> = {
  "as telephone events": "telephone-event",
  "in-band": "in-band",
  "by SIP INFO": "info",
};

const CONCEALMENTS: Readonly<Record<string, StallConcealment>> = {
  repetition: { kind: "repeat" },
  "slower speech": { kind: "stretch" },
};

const RTCP_PORTS: Readonly<Record<string, MediaSettings["rtcp"]>> = {
  "on the RTP port": "mux",
  "on a port of its own": "separate",
};

const MS_OF_UNIT: Readonly<Record<string, number>> = { s: 1000, min: 60_000 };

/** "1500 ms", "2 s", "1.5 s" and "2 min", in milliseconds. */
defineParameterType({
  name: "duration",
  regexp: /\d+(?:\.\d+)? (?:ms|s|min)\b/u,
  transformer: (text: string): number => {
    const [amount, unit] = text.split(" ");
    return Number(amount) * (MS_OF_UNIT[unit ?? ""] ?? 1);
  },
});

/** "silence", "repetition", "slower speech": what stands in for speech that has not come. */
defineParameterType({
  name: "concealment",
  regexp: /silence|repetition|slower speech/u,
  transformer: (text: string): StallConcealment => CONCEALMENTS[text] ?? { kind: "silence" },
});

/** Whose: the caller's or the bot's. */
defineParameterType({
  name: "party",
  regexp: /caller|bot/u,
  transformer: (text: string): Party => (text === "bot" ? "bot" : "caller"),
});

/** How a telephone key crosses. */
defineParameterType({
  name: "digitMethod",
  regexp: /as telephone events|in-band|by SIP INFO/u,
  transformer: (text: string): DigitMethod | undefined => DIGIT_METHODS[text],
});

/** Where RTCP goes. */
defineParameterType({
  name: "rtcpPort",
  regexp: /on the RTP port|on a port of its own/u,
  transformer: (text: string): MediaSettings["rtcp"] => RTCP_PORTS[text],
});

const MALFORMATIONS: Readonly<Record<string, MessageAlteration>> = {
  "without a Call-ID": "without Call-ID",
  "without From": "without From",
  "without Via": "without Via",
  "with a bad CSeq": "bad CSeq",
  "with another SIP version": "other version",
  "cut short": "cut short",
  "as garbage": "garbage",
};

/** How a message is made wrong. */
defineParameterType({
  name: "malformation",
  regexp:
    /without a Call-ID|without From|without Via|with a bad CSeq|with another SIP version|cut short|as garbage/u,
  transformer: (text: string): MessageAlteration | undefined => MALFORMATIONS[text],
});

/** A request by its method, or a response to the INVITE by its status. */
defineParameterType({
  name: "sipMessage",
  regexp: /[A-Z]{3,}|[1-6]\d\d/u,
  transformer: (text: string): FaultyMessage => (/^\d/u.test(text) ? Number(text) : text),
});

/** By what an INVITE goes. */
defineParameterType({
  name: "sipTransport",
  regexp: /UDP|TCP|TLS|WebSocket/u,
  transformer: (text: string): WantedTransport => text as WantedTransport,
});

/** Of a network: to a side is what it receives, from it what it sends. */
defineParameterType({
  name: "networkWay",
  regexp: /to|from/u,
  transformer: (text: string): NetworkDirection => (text === "to" ? "received" : "sent"),
});

type AiCarrier = Pick<AiNetwork, "transport" | "backend">;

const AI_CARRIERS: Readonly<Record<string, AiCarrier>> = {
  "modelled TCP": { transport: "tcp-modelled" },
  "kernel TCP": { transport: "tcp-kernel" },
  "kernel TCP through nft": { transport: "tcp-kernel", backend: "nft" },
  "kernel TCP through netem": { transport: "tcp-kernel", backend: "netem" },
  UDP: { transport: "udp" },
};

/** What carries the packets between bot and AI. */
defineParameterType({
  name: "aiTransport",
  regexp: /modelled TCP|kernel TCP(?: through (?:nft|netem))?|UDP/u,
  transformer: (text: string): AiCarrier => AI_CARRIERS[text] ?? { transport: "tcp-modelled" },
});

/** A regular expression between slashes. */
defineParameterType({
  name: "pattern",
  regexp: /\/(?:[^/\\]|\\.)+\//u,
  transformer: (text: string): RegExp => new RegExp(text.slice(1, -1), "u"),
});

/** A part of a name-addr (RFC 3261 §20.10). */
defineParameterType({
  name: "addressPart",
  regexp: /URI|display name/u,
  transformer: (text: string): "URI" | "display name" => (text === "URI" ? "URI" : "display name"),
});
