import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { applyFixes } from "./fixes.ts";
import { readReferTo, referToHeader } from "./refer-to.ts";
import { namedForPeer, parseNamedDialog, replacesText } from "./replaces.ts";
import { parseSipfrag, writeSipfrag } from "./sipfrag.ts";

const token = fc.stringMatching(/^[A-Za-z0-9\-.!%*_+`'~]{1,20}$/);
const word = fc.stringMatching(/^[A-Za-z0-9\-.!%*_+`'~()<>:\\/[\]?{}]{1,20}$/);
const callId = fc
  .tuple(word, fc.option(word))
  .map(([left, right]) => (right === null ? left : `${left}@${right}`));
const dialog = fc.record({ callId, localTag: token, remoteTag: token });

const VALUE_START = "Refer-To: ".length;

describe("Refer-To", () => {
  // sip.js would escape the user part.
  beforeAll(applyFixes);

  it("names any dialog of ours so that its other end finds it (property)", () => {
    fc.assert(
      fc.property(dialog, (ours) => {
        const header = referToHeader("sip:desk@192.0.2.3:5060;transport=udp", ours);
        expect(header).toMatch(/^Refer-To: <[^<>",\s]+>$/);
        expect(readReferTo([header.slice(VALUE_START)])).toEqual({
          kind: "call",
          uri: "sip:desk@192.0.2.3:5060;transport=udp",
          replaces: namedForPeer(ours),
          requiresReplaces: false,
        });
      }),
    );
  });

  it("is read whatever stands there (fuzz)", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 3 }), (lines) => {
        expect(["call", "refused"]).toContain(readReferTo(lines).kind);
      }),
    );
  });

  it("keeps the target as it was written", () => {
    const header = "<sip:a;day=tuesday@Host.example;Lr;method=INVITE>;x=y";
    expect(readReferTo([header])).toMatchObject({ uri: "sip:a;day=tuesday@Host.example;lr" });
  });
});

describe("Replaces", () => {
  it("comes back as it was written (property)", () => {
    const named = fc.record({ callId, toTag: token, fromTag: token, earlyOnly: fc.boolean() });
    fc.assert(
      fc.property(named, (value) => {
        expect(parseNamedDialog(replacesText(value))).toEqual(value);
      }),
    );
  });

  it("tolerates order, space and parameters that it does not know", () => {
    expect(parseNamedDialog("a@b ; FROM-TAG = x;foo=bar; early-only ;to-tag=y")).toEqual({
      callId: "a@b",
      toTag: "y",
      fromTag: "x",
      earlyOnly: true,
    });
  });

  it("is read whatever stands there (fuzz)", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const named = parseNamedDialog(text);
        const again = named === undefined ? undefined : parseNamedDialog(replacesText(named));
        expect(again).toEqual(named);
      }),
    );
  });
});

describe("a SIP fragment", () => {
  it("is a status line, with a phrase of ours where there was none", () => {
    expect(writeSipfrag({ statusCode: 486, reasonPhrase: "" })).toBe("SIP/2.0 486 Busy Here\r\n");
    expect(writeSipfrag({ statusCode: 299, reasonPhrase: "" })).toBe("SIP/2.0 299 \r\n");
    expect(writeSipfrag({ statusCode: 200, reasonPhrase: "Fine" })).toBe("SIP/2.0 200 Fine\r\n");
  });

  it("is read with headers behind it, without a phrase, and not at all", () => {
    expect(parseSipfrag("SIP/2.0 180 Ringing\r\nTo: x\r\n")).toEqual({
      statusCode: 180,
      reasonPhrase: "Ringing",
    });
    expect(parseSipfrag("sip/2.0 200\n")).toEqual({ statusCode: 200, reasonPhrase: "" });
    expect(parseSipfrag("INVITE sip:a@b SIP/2.0")).toBeUndefined();
    expect(parseSipfrag("SIP/2.0 700 No")).toBeUndefined();
    expect(parseSipfrag("")).toBeUndefined();
  });
});
