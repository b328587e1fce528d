import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSdp } from "./parse.ts";
import type { SessionDescription } from "./session-description.ts";
import { writeSdp } from "./write.ts";

function parsed(text: string): SessionDescription {
  const session = parseSdp(text);
  if (session.kind !== "session") throw new Error(session.reason);
  return session;
}

/** The example of RFC 8866 §5, with its multicast address. */
const RFC_8866_EXAMPLE = [
  "v=0",
  "o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1",
  "s=Call to John Smith",
  "i=SDP Offer #1",
  "u=http://www.jdoe.example.com/home.html",
  "e=Jane Doe <jane@jdoe.example.com>",
  "p=+1 617 555-6011",
  "c=IN IP4 198.51.100.1",
  "t=0 0",
  "m=audio 49170 RTP/AVP 0",
  "m=audio 49180 RTP/AVP 0",
  "m=video 51372 RTP/AVP 99",
  "c=IN IP6 2001:db8::2",
  "a=rtpmap:99 h263-1998/90000",
  "",
].join("\r\n");

describe("parseSdp", () => {
  it("reads the example of RFC 8866 §5", () => {
    const session = parsed(RFC_8866_EXAMPLE);

    expect(session.origin).toEqual({
      username: "jdoe",
      sessionId: "3724394400",
      sessionVersion: "3724394405",
      addressType: "IP4",
      address: "198.51.100.1",
    });
    expect(session.sessionName).toBe("Call to John Smith");
    expect(session.connection).toEqual({ addressType: "IP4", address: "198.51.100.1" });
    expect(session.media.map(({ media, port }) => [media, port])).toEqual([
      ["audio", 49_170],
      ["audio", 49_180],
      ["video", 51_372],
    ]);
    expect(session.media[2]?.connection).toEqual({ addressType: "IP6", address: "2001:db8::2" });
    expect(session.media[2]?.attributes).toEqual([{ name: "rtpmap", value: "99 h263-1998/90000" }]);
  });

  it.each(["\n", "\r", "\r\n"])("takes %j as line end", (lineEnd) => {
    const text = RFC_8866_EXAMPLE.replaceAll("\r\n", lineEnd);

    expect(parseSdp(text)).toEqual(parseSdp(RFC_8866_EXAMPLE));
  });

  it("puts up with missing o=, s= and t=, unknown lines and blanks", () => {
    const session = parsed("v=0\n\n y=what\nnonsense\nm=audio 4000 RTP/AVP 0  8 \na=sendrecv \n");

    expect(session.media[0]).toMatchObject({ formats: ["0", "8"], port: 4000 });
    expect(session.media[0]?.attributes).toEqual([{ name: "sendrecv" }]);
  });

  it("leaves TTL and counts out", () => {
    const session = parsed("v=0\nc=IN IP4 224.2.1.1/127/3\nm=video 4000/2 RTP/AVP 31");

    expect(session.connection?.address).toBe("224.2.1.1");
    expect(session.media[0]?.port).toBe(4000);
  });

  it.each([
    ["", 0, "empty"],
    ["   \r\n", 0, "empty"],
    ["m=audio 1 RTP/AVP 0", 1, "v=0"],
    ["v=1", 1, "v=0"],
    ["v=0\nm=audio x RTP/AVP 0", 2, "port"],
    ["v=0\nm=audio 70000 RTP/AVP 0", 2, "port"],
    ["v=0\nm=audio 4000 RTP/AVP", 2, "format"],
    ["v=0\nm=", 2, "port"],
    ["v=0\nc=IN IP5 1.2.3.4", 2, "c="],
    ["v=0\nc=IN IP4", 2, "c="],
    [`v=0\n${"a=x\n".repeat(20_000)}`, 0, "64"],
  ])("says what is wrong with %j", (text, lineNumber, word) => {
    const result = parseSdp(text);

    expect(result).toMatchObject({ kind: "malformed", lineNumber });
    expect(result.kind === "malformed" && result.reason).toContain(word);
  });

  it("throws for no text (fuzz)", () => {
    const line = fc.oneof(
      fc.string(),
      fc
        .tuple(fc.constantFrom("v=0", "m=audio ", "c=IN IP4 ", "a=", "o="), fc.string())
        .map(([head, tail]) => `${head}${tail}`),
    );
    fc.assert(
      fc.property(fc.array(line), fc.boolean(), (lines, begins) => {
        const text = [...(begins ? ["v=0"] : []), ...lines].join("\r\n");

        expect(["session", "malformed"]).toContain(parseSdp(text).kind);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("writeSdp", () => {
  it("writes what parseSdp reads back (property)", () => {
    const token = fc.string({
      unit: fc.constantFrom(...Array.from("abcXYZ019-")),
      minLength: 1,
      maxLength: 8,
    });
    const attribute = fc.oneof(
      fc.record({ name: token }),
      fc.record({ name: token, value: fc.tuple(token, token).map((words) => words.join(" ")) }),
    );
    const connection = fc.constantFrom(
      { addressType: "IP4" as const, address: "192.0.2.7" },
      { addressType: "IP6" as const, address: "2001:db8::7" },
    );
    const media = fc.record(
      {
        media: fc.constantFrom("audio", "video", "message"),
        port: fc.integer({ min: 0, max: 65_535 }),
        protocol: fc.constantFrom("RTP/AVP", "RTP/SAVPF", "TCP/MSRP"),
        formats: fc.array(token, { minLength: 1, maxLength: 4 }),
        connection,
        attributes: fc.array(attribute),
      },
      { requiredKeys: ["media", "port", "protocol", "formats", "attributes"] },
    );
    const session = fc.record(
      {
        kind: fc.constant("session" as const),
        origin: fc.record({
          username: token,
          sessionId: token,
          sessionVersion: token,
          addressType: fc.constant("IP4"),
          address: token,
        }),
        sessionName: token,
        connection,
        attributes: fc.array(attribute),
        media: fc.array(media),
      },
      { requiredKeys: ["kind", "origin", "sessionName", "attributes", "media"] },
    );
    fc.assert(
      fc.property(session, (description) => {
        expect(parseSdp(writeSdp(description))).toEqual(description);
      }),
    );
  });
});
