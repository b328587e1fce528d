import { beforeAll, describe, expect, it } from "vitest";
import { applyFixes } from "./fixes.ts";
import { addressOfRecord, hostPortText, parseTarget } from "./sip-uri.ts";
import { parseNameAddr, parseUri } from "./wire-uri.ts";

beforeAll(applyFixes);

describe("parseTarget", () => {
  it.each([
    ["sip:bot@192.0.2.1", "sip:bot@192.0.2.1"],
    [" sip:bot@bot.example:5080 ", "sip:bot@bot.example:5080"],
    [
      "<sip:+4930123;phone-context=x@gw.example;user=phone>",
      "sip:+4930123;phone-context=x@gw.example;user=phone",
    ],
    ["sip:bot.example", "sip:bot.example"],
    ["SIP:bot@Bot.Example;transport=UDP", "sip:bot@bot.example;transport=UDP"],
    ["sip:bot@[2001:db8::1]:5070", "sip:bot@[2001:db8::1]:5070"],
  ])("reads %s", (text, expected) => {
    expect(parseTarget(text).toString()).toBe(expected);
  });

  it.each([
    ["", "is empty"],
    ["bot@192.0.2.1", 'does not begin with "sip:"'],
    ["192.0.2.1:5060", 'does not begin with "sip:"'],
    ["bot.example:5060", 'does not begin with "sip:"'],
    ["sip:", "has no host"],
    ["sip:bot@", "has no host"],
    ["sip:bot@host:99999", 'has the port "99999"'],
    ["sip:bot@host:0", 'has the port "0"'],
    ["sip:bot@host:x", 'has the port "x"'],
    ["sip:the bot@host", "characters that need %-escapes"],
    ["sip:bot@ho st", 'host read: "ho st"'],
    ["sip:bot@host?X-A=1", "carries headers"],
  ])("refuses %s", (text, part) => {
    expect(() => parseTarget(text)).toThrow(
      expect.objectContaining({
        code: "ERR_TARGET_MALFORMED",
        message: expect.stringContaining(part),
      }),
    );
  });

  it.each(["sips:bot@host;transport=udp", "tel:+4930123", "sip:bot@host;transport=sctp"])(
    "says that %s is not supported",
    (text) => {
      expect(() => parseTarget(text)).toThrow(
        expect.objectContaining({ code: "ERR_TARGET_UNSUPPORTED" }),
      );
    },
  );

  it("never quotes the user part, which may be a telephone number", () => {
    for (const text of ["sip:+49 30 1234567@host", "sip:+49301234567@host:x", "tel:+49301234567"]) {
      expect(() => parseTarget(text)).toThrow(
        expect.objectContaining({ message: expect.not.stringContaining("1234567") }),
      );
    }
  });
});

describe("parseUri", () => {
  it("carries URIs of other schemes as they are", () => {
    const uri = parseUri("tel:+1-201-555-0123;phone-context=example.com");
    expect(uri?.clone().toString()).toBe("tel:+1-201-555-0123;phone-context=example.com");
    expect(uri?.scheme).toBe("tel");
  });

  it.each([
    "",
    "sip:",
    "sip:a b@c",
    "sip:a@",
    "sip:a%zz@host",
    "sip:@host",
    "sip:a@host:70000",
    "no",
  ])("refuses %s", (text) => {
    expect(parseUri(text)).toBeUndefined();
  });
});

describe("parseNameAddr", () => {
  it("takes parameters without angle brackets for the header's (RFC 3261 §20.10)", () => {
    const address = parseNameAddr("sip:a@b;tag=1");
    expect(address?.uri.toString()).toBe("sip:a@b");
    expect(address?.getParam("tag")).toBe("1");
  });

  it.each([
    '"open <sip:a@b>',
    "<sip:a@b",
    '"x" y <sip:a@b>',
    '"x" sip:a@b',
    "<>",
    "<sip:a@b>tag=1",
  ])("refuses %s", (text) => {
    expect(parseNameAddr(text)).toBeUndefined();
  });
});

describe("texts of addresses", () => {
  it("puts IPv6 in brackets", () => {
    expect(hostPortText({ address: "2001:db8::1", port: 5060 })).toBe("[2001:db8::1]:5060");
  });

  it("leaves port and parameters out of From and To", () => {
    expect(addressOfRecord(parseTarget("sip:bot@host:5080;user=phone")).toString()).toBe(
      "sip:bot@host",
    );
  });
});
