import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { LocalFormat, MediaCapabilities, NegotiatedMedia } from "../../../src/sdp/index.ts";
import {
  bot,
  caller,
  errorOf,
  L16_16000,
  linesOf,
  negotiatedOf,
  OPUS,
  PCMU,
  parsed,
  srtp,
} from "./sides.ts";

const FOLDER = new URL("../../../fixtures/sdp/", import.meta.url);
const OPTIONAL: Partial<MediaCapabilities> = { srtp: srtp("optional", 50) };

function fixture(name: string): string {
  return readFileSync(new URL(`${name}.sdp`, FOLDER), "utf8");
}

function only(codec: LocalFormat): Partial<MediaCapabilities> {
  return { codecs: [codec] };
}

/** What the figures of a result boil down to, for a table. */
function summary(media: NegotiatedMedia): string {
  const event = media.telephoneEventPayloadType ?? media.otherTelephoneEvent?.payloadType;
  return [
    `${media.send.codecId}=${media.send.payloadType}`,
    `event=${event}`,
    `noise=${media.comfortNoisePayloadType}`,
    `ptime=${media.ptimeMs}`,
    `rtcp=${media.rtcpMux ? "mux" : media.remoteRtcp?.port}`,
    `srtp=${media.srtp?.receive.suite}`,
    media.direction,
  ].join(" ");
}

const AES_80 = "AES_CM_128_HMAC_SHA1_80";
const EXPECTED: readonly (readonly [string, string])[] = [
  [
    "baresip-codecs",
    "PCMU=0 event=105 noise=undefined ptime=20 rtcp=30043 srtp=undefined sendrecv",
  ],
  [
    "baresip-opus-rtcp-mux",
    "opus=96 event=101 noise=undefined ptime=10 rtcp=mux srtp=undefined sendrecv",
  ],
  [
    "baresip-srtp-optional",
    `PCMU=0 event=101 noise=undefined ptime=20 rtcp=30097 srtp=${AES_80} sendrecv`,
  ],
  [
    "baresip-srtp-mandatory",
    `PCMU=0 event=101 noise=undefined ptime=20 rtcp=30067 srtp=${AES_80} sendrecv`,
  ],
  [
    "baresip-srtp-mandatory-avpf",
    `PCMU=0 event=101 noise=undefined ptime=20 rtcp=30041 srtp=${AES_80} sendrecv`,
  ],
  [
    "asterisk-pjsip",
    "opus=107 event=101 noise=undefined ptime=20 rtcp=14553 srtp=undefined sendrecv",
  ],
  ["asterisk-sdes", `PCMU=0 event=101 noise=undefined ptime=20 rtcp=11877 srtp=${AES_80} sendrecv`],
  ["freeswitch", "opus=102 event=103 noise=undefined ptime=20 rtcp=24907 srtp=undefined sendrecv"],
  [
    "freeswitch-savp-and-avp",
    `PCMU=0 event=101 noise=undefined ptime=20 rtcp=19343 srtp=${AES_80} sendrecv`,
  ],
  ["linphone", "opus=96 event=101 noise=undefined ptime=20 rtcp=47079 srtp=undefined sendrecv"],
  ["twilio", "PCMU=0 event=101 noise=undefined ptime=20 rtcp=15295 srtp=undefined sendrecv"],
  ["pjsua", "PCMU=0 event=121 noise=undefined ptime=20 rtcp=4001 srtp=undefined sendrecv"],
  ["cisco-cucm", "G722=9 event=101 noise=undefined ptime=20 rtcp=24581 srtp=undefined sendrecv"],
  [
    "cisco-cucm-hold",
    "PCMU=0 event=undefined noise=undefined ptime=20 rtcp=undefined srtp=undefined inactive",
  ],
  ["teams-direct-routing", `G722=9 event=101 noise=13 ptime=20 rtcp=49999 srtp=${AES_80} sendrecv`],
];

describe("offers of well-known peers", () => {
  it.each(EXPECTED)("%s is understood", (name, expected) => {
    const side = bot(OPTIONAL);

    const answer = side.acceptOffer(fixture(name));

    expect(summary(negotiatedOf(side))).toBe(expected);
    const offered = parsed(fixture(name)).media;
    const answered = parsed(answer).media;
    expect(answered.map(({ media, protocol }) => [media, protocol])).toEqual(
      offered.map(({ media, protocol }) => [media, protocol]),
    );
    expect(answered.filter(({ port }) => port !== 0)).toHaveLength(1);
  });

  it("are all in this table or in the test below", () => {
    const names = readdirSync(FOLDER).filter((name) => name.endsWith(".sdp"));

    expect(names.map((name) => name.slice(0, -4)).toSorted()).toEqual(
      [...EXPECTED.map(([name]) => name), "baresip-dtls-srtp", "webrtc-gateway"].toSorted(),
    );
  });

  it.each(["baresip-dtls-srtp", "webrtc-gateway"])(
    "%s has no audio that is spoken here",
    (name) => {
      const { code, text } = errorOf(() => bot(OPTIONAL).acceptOffer(fixture(name)));

      expect(code).toBe("ERR_SDP_NO_COMMON_CODEC");
      expect(text).toContain("audio over UDP/TLS/RTP/SAVPF");
    },
  );

  it("keep baresip's L16 apart by rate and channels", () => {
    const side = bot();
    side.reconfigure({ codecs: ["L16/16000", "L16/8000"] });

    const answer = side.acceptOffer(fixture("baresip-codecs"));

    expect(linesOf(answer, "a=rtpmap")).toEqual([
      "a=rtpmap:103 L16/16000",
      "a=rtpmap:104 L16/8000",
      "a=rtpmap:105 telephone-event/8000",
    ]);
  });

  it("keep Linphone's digits apart by clock rate, and read its wish for XR", () => {
    const side = bot();
    side.acceptOffer(fixture("linphone"));
    expect(negotiatedOf(side).remoteRtcpXr).toBe(true);

    side.reconfigure({ codecs: ["PCMU"] });
    side.acceptOffer(fixture("linphone"));

    expect(negotiatedOf(side).telephoneEventPayloadType).toBe(100);
  });

  it("hand FreeSWITCH's parameters of Opus on", () => {
    const side = bot();

    side.acceptOffer(fixture("freeswitch"));

    expect(negotiatedOf(side).send.remoteFmtp).toContain("maxaveragebitrate=30000");
  });

  it("go to the plain line of two where SRTP is off, and are refused where it is all there is", () => {
    const answer = bot().acceptOffer(fixture("freeswitch-savp-and-avp"));
    expect(linesOf(answer, "m=")).toEqual([
      "m=audio 0 RTP/SAVP 0 8 101",
      "m=audio 50000 RTP/AVP 0 8 101",
    ]);

    for (const name of ["asterisk-sdes", "teams-direct-routing", "baresip-srtp-mandatory"]) {
      expect(errorOf(() => bot().acceptOffer(fixture(name))).code).toBe("ERR_SRTP_NOT_ALLOWED");
    }
  });
});

describe("baresip's answers to our offers", () => {
  const plain = "rtcp=30049 srtp=undefined sendrecv";

  it.each<[string, Partial<MediaCapabilities>, string]>([
    ["all-codecs", {}, `PCMU=0 event=101 noise=undefined ptime=20 ${plain}`],
    // It knows digits at 8 kHz only.
    ["opus", only(OPUS), "opus=96 event=101 noise=undefined ptime=20 rtcp=30011 srtp=undefined"],
    [
      "l16-16000",
      only(L16_16000),
      "L16/16000=97 event=101 noise=undefined ptime=20 rtcp=30099 srtp=undefined",
    ],
    [
      "srtp-optional",
      { ...only(PCMU), srtp: srtp("optional", 1) },
      `PCMU=0 event=101 noise=undefined ptime=20 rtcp=30019 srtp=${AES_80}`,
    ],
    [
      "srtp-optional-declined",
      { ...only(PCMU), srtp: srtp("optional", 1) },
      "PCMU=0 event=101 noise=undefined ptime=20 rtcp=30095 srtp=undefined",
    ],
    [
      "srtp-required",
      { ...only(PCMU), srtp: srtp("required", 1) },
      `PCMU=0 event=101 noise=undefined ptime=20 rtcp=30095 srtp=${AES_80}`,
    ],
  ])("%s", (name, capabilities, expected) => {
    const side = caller(capabilities);
    side.createOffer();

    side.acceptAnswer(fixture(`answers/baresip-${name}`));

    expect(summary(negotiatedOf(side))).toContain(expected);
  });

  it("are a downgrade where it left the encryption out", () => {
    const side = caller({ srtp: srtp("required", 1) });
    side.createOffer();

    const answer = fixture("answers/baresip-srtp-optional-declined");

    expect(errorOf(() => side.acceptAnswer(answer)).code).toBe("ERR_SRTP_DOWNGRADED");
  });
});
