import { describe, expect, it } from "vitest";
import { NodeCryptography } from "../platform/index.ts";
import { algorithmNamed, type DigestInput, digestResponse } from "./digest-response.ts";

const cryptography = new NodeCryptography();
const NO_BODY = new Uint8Array();

/** RFC 7616 §3.9.1. */
const MUFASA: DigestInput = {
  algorithm: "MD5",
  user: "Mufasa",
  realm: "http-auth@example.org",
  password: "Circle of Life",
  nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
  cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
  nonceCount: "00000001",
  qop: "auth",
  method: "GET",
  uri: "/dir/index.html",
  body: NO_BODY,
};

/** draft-smith-sipping-auth-examples-01 §3: one INVITE with every kind of MD5. */
const BOB: DigestInput = {
  algorithm: "MD5",
  user: "bob",
  realm: "biloxi.com",
  password: "zanzibar",
  nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
  cnonce: "0a4f113b",
  nonceCount: "00000001",
  qop: "auth",
  method: "INVITE",
  uri: "sip:bob@biloxi.com",
  body: new TextEncoder().encode(
    [
      "v=0",
      "o=bob 2890844526 2890844526 IN IP4 media.biloxi.com",
      "s=-",
      "c=IN IP4 media.biloxi.com",
      "t=0 0",
      "m=audio 49170 RTP/AVP 0",
      "a=rtpmap:0 PCMU/8000",
      "m=video 51372 RTP/AVP 31",
      "a=rtpmap:31 H261/90000",
      "m=video 53000 RTP/AVP 32",
      "a=rtpmap:32 MPV/90000",
      "",
    ].join("\r\n"),
  ),
};

describe("digest responses are those that others computed", () => {
  it.each<[string, DigestInput, string]>([
    ["RFC 7616 §3.9.1, MD5", MUFASA, "8ca523f5e9506fed4657c9700eebdbec"],
    [
      "RFC 7616 §3.9.1, SHA-256",
      { ...MUFASA, algorithm: "SHA-256" },
      "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
    ],
    [
      // The RFC's own figure is wrong: it is that of SHA-512, cut off. This is erratum 4897's.
      "RFC 7616 §3.9.2, SHA-512-256, as corrected",
      {
        ...MUFASA,
        algorithm: "SHA-512-256",
        user: "J\u00E4s\u00F8n Doe",
        realm: "api@example.org",
        password: "Secret, or not?",
        nonce: "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
        cnonce: "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
        uri: "/doe.json",
      },
      "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5",
    ],
    [
      "RFC 2617 §3.5",
      {
        ...MUFASA,
        realm: "testrealm@host.com",
        password: "Circle Of Life",
        nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        cnonce: "0a4f113b",
      },
      "6629fae49393a05397450978507c4ef1",
    ],
    [
      "RFC 2069 §2.4, as corrected by erratum 749",
      {
        ...MUFASA,
        realm: "testrealm@host.com",
        password: "CircleOfLife",
        nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        qop: undefined,
      },
      "1949323746fe6a43ef61f9606e7febea",
    ],
    ["SIP, no qop", { ...BOB, qop: undefined }, "bf57e4e0d0bffc0fbaedce64d59add5e"],
    ["SIP, auth", BOB, "89eb0059246c02b2f6ee02c7961d5ea3"],
    ["SIP, MD5-sess", { ...BOB, algorithm: "MD5-sess" }, "e4e4ea61d186d07a92c9e1f6919902e9"],
    ["SIP, auth-int", { ...BOB, qop: "auth-int" }, "bdbeebb2da6adb6bca02599c2239e192"],
    [
      "SIP, MD5-sess with auth-int",
      { ...BOB, algorithm: "MD5-sess", qop: "auth-int" },
      "91984da2d8663716e91554859c22ca70",
    ],
  ])("%s", (_origin, input, response) => {
    expect(digestResponse(cryptography, input)).toBe(response);
  });
});

it("algorithms are known in any letter case", () => {
  expect(algorithmNamed("sha-512-256-SESS")).toBe("SHA-512-256-sess");
  expect(algorithmNamed("SHA-1")).toBeUndefined();
});
