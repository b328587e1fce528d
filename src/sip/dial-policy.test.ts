import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressBits } from "./address-bits.ts";
import { DialPolicy } from "./dial-policy.ts";

const codeOf = (policy: DialPolicy, target: string): string | undefined =>
  policy.refusalOf(target)?.code;

describe("DialPolicy", () => {
  it.each([
    "sip:bot@127.0.0.1",
    "sip:bot@127.8.9.1:5070",
    "sip:bot@[::1]:5060",
    "sip:bot@[0:0:0:0:0:0:0:1]",
    "sip:bot@[::ffff:127.0.0.1]",
    "sip:bot@localhost",
    "sips:bot@LOCALHOST.",
    "sip:127.0.0.1",
  ])("permits loopback without being asked: %s", (target) => {
    expect(new DialPolicy().refusalOf(target)).toBeUndefined();
  });

  it.each([
    "sip:bot@192.0.2.1",
    "sip:bot@bot.example",
    "sip:bot@127.0.0.1.example",
    "sip:bot@128.0.0.1",
    "sip:bot@[2001:db8::1]",
    "sip:bot@notlocalhost",
    "sip:bot@127.0.0.1;maddr=192.0.2.1",
    "sip:bot@0.0.0.0",
    "sip:bot@[::]",
    "mailto:bot@localhost",
    "http://127.0.0.1",
    "nonsense",
    "sip:00493012345",
  ])("permits nothing else: %s", (target) => {
    expect(codeOf(new DialPolicy(), target)).toBe("ERR_TARGET_NOT_ALLOWED");
  });

  it.each([
    ["bot.example", "sip:bot@bot.example:5070", "sip:bot@sub.bot.example"],
    ["Bot.Example.", "sip:bot@BOT.example", "sip:bot@bot.example.org"],
    ["*.example", "sip:bot@a.b.example", "sip:bot@example"],
    ["192.0.2.7", "sip:bot@192.0.2.7", "sip:bot@192.0.2.70"],
    ["192.0.2.0/24", "sip:bot@192.0.2.255", "sip:bot@192.0.3.0"],
    ["10.0.0.0/9", "sip:bot@10.127.0.1", "sip:bot@10.128.0.1"],
    ["2001:db8::/32", "sip:bot@[2001:DB8:1::7]", "sip:bot@[2001:db9::7]"],
    ["[2001:db8::1]", "sip:bot@[2001:db8:0::1]", "sip:bot@[2001:db8::2]"],
    ["ann@bot.example", "sip:ann@bot.example", "sip:bob@bot.example"],
    ["*", "sip:bot@anything.example", "mailto:bot@anything.example"],
  ])("takes the entry %s for %s, and not for %s", (entry, permitted, refused) => {
    const policy = new DialPolicy([entry]);
    expect(policy.refusalOf(permitted)).toBeUndefined();
    expect(codeOf(policy, refused)).toBe("ERR_TARGET_NOT_ALLOWED");
  });

  it.each([
    "",
    "bot.example:5060",
    "sip:bot.example",
    "192.0.2.0/33",
    "192.0.2.0/",
    "1.2.3",
    "*.",
    "a b",
    "@bot.example",
    "x*.example",
  ])('refuses the entry "%s"', (entry) => {
    expect(() => new DialPolicy([entry])).toThrow(
      expect.objectContaining({ code: "ERR_ALLOW_MALFORMED" }),
    );
  });

  it("refuses emergency and premium numbers wherever they lead, loopback included", () => {
    const policy = new DialPolicy(["*"]);
    for (const target of [
      "sip:112@127.0.0.1",
      "sip:+49-900-123456@bot.example",
      "sip:900123456@bot.example;phone-context=+49;user=phone",
      "sips:%39%31%31@127.0.0.1",
      "tel:911",
      "tel:110;phone-context=+49",
      "tel:900123456;phone-context=+49",
      "urn:service:sos.fire",
      "sip:sos@127.0.0.1",
    ]) {
      expect([target, codeOf(policy, target)]).toEqual([target, "ERR_NUMBER_REFUSED"]);
    }
    expect(policy.refusalOf("tel:+4930123456")).toBeUndefined();
  });

  it("calls a short number only where it was permitted with its user part", () => {
    expect(codeOf(new DialPolicy(["*"]), "sip:100@pbx.example")).toBe("ERR_NUMBER_REFUSED");
    const named = new DialPolicy(["100@pbx.example", "112@pbx.example"]);
    expect(named.refusalOf("sip:100@pbx.example")).toBeUndefined();
    expect(codeOf(named, "sip:101@pbx.example")).toBe("ERR_NUMBER_REFUSED");
    expect(codeOf(named, "sip:112@pbx.example")).toBe("ERR_NUMBER_REFUSED");
  });

  it("looks at every Route, too", () => {
    const policy = new DialPolicy(["proxy.example"]);
    const target = "sip:bot@127.0.0.1";
    policy.require(target, ["<sip:proxy.example;lr>"]);
    for (const route of [
      "<sip:evil.example;lr>",
      "<sip:proxy.example;lr>, <sip:evil.example;lr>",
      '"P, <sip:proxy.example>" <sip:evil.example;lr>',
      "no route",
    ]) {
      expect(() => policy.require(target, [route])).toThrow(
        expect.objectContaining({ code: "ERR_TARGET_NOT_ALLOWED" }),
      );
    }
  });

  it("says which option permits a host, and never quotes a user part or a number", () => {
    const policy = new DialPolicy();
    expect(policy.refusalOf("sip:+4930123456@bot.example")?.message).toContain(
      "--allow bot.example",
    );
    fc.assert(
      fc.property(
        fc.stringMatching(/^\d{5,14}$/u),
        fc.constantFrom("bot.example", "127.0.0.1"),
        (number, host) => {
          for (const target of [
            `sip:${number}@${host}`,
            `sip:112@${host}`,
            `sip:${number}`,
            `tel:${number}`,
          ]) {
            const { message, context } = policy.refusalOf(target) ?? { message: "", context: {} };
            expect(message + JSON.stringify(context)).not.toContain(number);
          }
        },
      ),
    );
  });
});

describe("addressBits", () => {
  it("reads what it wrote, in any notation of IPv6", () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        expect([32, 128]).toContain(addressBits(address)?.length);
      }),
    );
  });

  it("takes nothing else for an address", () => {
    for (const text of ["", "1.2.3", "1.2.3.256", "::1::", "1:2:3:4:5:6:7", "g::", ":::", "bot"]) {
      expect([text, addressBits(text)]).toEqual([text, undefined]);
    }
  });
});
