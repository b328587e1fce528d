import { describe, expect, it } from "vitest";
import { alterMessage } from "./message-alterations.ts";

const SDP = [
  "v=0",
  "m=audio 40000 RTP/AVP 0 101",
  "a=rtpmap:0 PCMU/8000",
  "a=rtpmap:101 telephone-event/8000",
  "a=fmtp:101 0-15",
  "a=sendrecv",
  "",
].join("\r\n");
const INVITE = [
  "INVITE sip:bot@192.0.2.2 SIP/2.0",
  "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1",
  "From: <sip:a@b>;tag=1",
  "Call-ID: abc",
  "CSeq: 1 INVITE",
  "Content-Type: application/sdp",
  `Content-Length: ${SDP.length}`,
  "",
  SDP,
].join("\r\n");

function lengthsOf(text: string): readonly [number, number] {
  const [head = "", body = ""] = text.split("\r\n\r\n");
  return [Number(/Content-Length: (\d+)/u.exec(head)?.[1]), body.length];
}

describe("alterMessage", () => {
  it("takes the body out, with its type and length", () => {
    const altered = alterMessage(INVITE, "without body");
    expect(lengthsOf(altered)).toEqual([0, 0]);
    expect(altered).not.toContain("Content-Type");
  });

  it("leaves one codec, which nobody has, and the length right", () => {
    const altered = alterMessage(INVITE, "unknown codec");
    const [announced, real] = lengthsOf(altered);
    expect(announced).toBe(real);
    expect(altered.match(/^(?:m=audio|a=rtpmap|a=fmtp).*$/gmu)).toEqual([
      "m=audio 40000 RTP/AVP 127",
      "a=rtpmap:127 X-NOBODY-HAS-THIS/8000",
    ]);
  });

  it("makes heads wrong in one respect each", () => {
    expect(alterMessage(INVITE, "without From")).not.toContain("From:");
    expect(alterMessage(INVITE, "without Call-ID")).not.toContain("Call-ID");
    expect(alterMessage(INVITE, "without Via")).not.toContain("Via:");
    expect(alterMessage(INVITE, "bad CSeq")).toContain("CSeq: one INVITE");
    expect(alterMessage(INVITE, "other version")).toMatch(
      /^INVITE sip:bot@192.0.2.2 SIP\/7.0\r\n/u,
    );
  });

  it("cuts the body, or the head of what has none, and says nothing of it", () => {
    const [announced, real] = lengthsOf(alterMessage(INVITE, "cut short"));
    expect(real).toBeLessThan(announced);
    const bare = "SIP/2.0 180 Ringing\r\nCSeq: 1 INVITE\r\n\r\n";
    expect(alterMessage(bare, "cut short").length).toBeLessThan(bare.length);
  });
});
