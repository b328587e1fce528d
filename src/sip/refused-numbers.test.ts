import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  COUNTRY_PREMIUM_PREFIXES,
  EMERGENCY_ELSEWHERE,
  EMERGENCY_NUMBERS,
} from "./number-lists.ts";
import { refusedNumber } from "./refused-numbers.ts";

describe("refusedNumber", () => {
  it.each([
    "112",
    "911",
    "999",
    "000",
    "110",
    "118",
    "+112",
    "00112",
    "0112",
    "9911",
    "0000",
    "+49112",
    "+1911",
    "+44999",
    "1-1-2",
    "(9)11",
    "1.1.2",
    "1%31%32",
    "%2B49112",
    "１１２",
    "112;phone-context=+49",
    "112;ext=4",
    "112:secret",
    "112,,4",
    "112p4",
    "*31#112",
    "#31#112",
    "*67911",
    "*31#+49112",
    "112#",
    "sos",
    "SOS.police",
  ])("refuses %s as an emergency number", (user) => {
    expect(refusedNumber(user)).toBe("emergency");
  });

  it.each([
    "+19005551212",
    "19005551212",
    "9005551212",
    "0019005551212",
    "01119005551212",
    "919005551212",
    "+1-212-976-1234",
    "9761234",
    "0900123456",
    "0900 1 123456",
    "00900123456",
    "+49900123456",
    "004990012345",
    "+49 (900) 123-456",
    "49900123456",
    "+449098790000",
    "449098790000",
    "0909 879 0000",
    "+979123456789",
    "+88162345678",
    "+33899123456",
    "900123456;phone-context=+49",
    "0900123456;phone-context=+49",
    "899123456;phone-context=+33",
    "1902123456",
    "11880",
    "118118",
    "116117",
  ])("refuses %s as a premium number", (user) => {
    expect(refusedNumber(user)).toBe("premium");
  });

  it.each(["100", "101", "17", "192", "997"])(
    "takes %s for a number to be permitted by name",
    (user) => {
      expect(refusedNumber(user)).toBe("short");
    },
  );

  it.each([
    "",
    "bot",
    "support",
    "alice.911",
    "bot112",
    "200",
    "1000",
    "1120",
    "2112",
    "9000",
    "4711",
    "+4930123456",
    "030123456",
    "08912345678",
    "004930123456",
    "+12125551212",
    "2125551212",
    "12125551212",
    "+442079460000",
    "+35315551234",
    "+353861234567",
    "+39089123456",
    "*97",
    "soso",
  ])('lets "%s" pass', (user) => {
    expect(refusedNumber(user)).toBeUndefined();
  });

  it("finds every number of its lists, however it is punctuated and escaped", () => {
    const emergency = fc.constantFrom(...EMERGENCY_NUMBERS).map((number) => [number, "emergency"]);
    const short = fc.constantFrom(...EMERGENCY_ELSEWHERE).map((number) => [number, "short"]);
    const premium = fc
      .tuple(fc.constantFrom(...COUNTRY_PREMIUM_PREFIXES), fc.stringMatching(/^\d{7}$/u))
      .map(([prefix, rest]) => [`+${prefix}${rest}`, "premium"]);
    const disguise = fc.array(fc.constantFrom("", "-", ".", " ", "(", ")", "escape"), {
      minLength: 20,
      maxLength: 20,
    });
    fc.assert(
      fc.property(fc.oneof(emergency, short, premium), disguise, ([number = "", kind], marks) => {
        const user = Array.from(number)
          .map((digit, index) => {
            const mark = marks[index] ?? "";
            const code = digit.charCodeAt(0).toString(16);
            return mark === "escape" ? `%${code}` : `${digit}${mark}`;
          })
          .join("");
        expect(refusedNumber(user)).toBe(kind);
      }),
    );
  });

  it("never throws, whatever the user part is", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.stringMatching(/^[+\d*#;%p,.()-]*$/u)),
        fc.option(fc.string(), { nil: undefined }),
        (user, context) => {
          refusedNumber(user, context);
        },
      ),
    );
  });
});
