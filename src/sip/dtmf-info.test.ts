import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  DTMF_RELAY_TYPE,
  DTMF_TYPE,
  parseDtmfInfo,
  writeDtmf,
  writeDtmfRelay,
} from "./dtmf-info.ts";

const RELAY = DTMF_RELAY_TYPE;

describe("parseDtmfInfo", () => {
  it.each([
    ["as Cisco has it", RELAY, "Signal=5\r\nDuration=160\r\n", "5", 160],
    ["without a line end", RELAY, "Signal=5\r\nDuration=160", "5", 160],
    ["with blanks, as Grandstream has it", RELAY, "Signal= 5\r\nDuration= 160\r\n", "5", 160],
    ["with LF alone", RELAY, "Signal=5\nDuration=160\n", "5", 160],
    ["with CR alone", RELAY, "Signal=5\rDuration=160", "5", 160],
    ["in another order and case", RELAY, "DURATION = 80 \r\n signal = c \r\n", "C", 80],
    ["without duration", RELAY, "Signal=9", "9", 250],
    ["star", RELAY, "Signal=*\r\nDuration=100", "*", 100],
    ["hash", RELAY, "Signal=#\r\nDuration=100", "#", 100],
    ["star as event code", RELAY, "Signal=10\r\nDuration=100", "*", 100],
    ["hash as event code", RELAY, "Signal= 11\r\nDuration=100", "#", 100],
    ["with lines that we do not know", RELAY, "Signal=1\r\nVolume=10\r\nx\r\n", "1", 250],
    ["with parameters of the type", "Application/DTMF-Relay; charset=utf-8", "Signal=1", "1", 250],
    ["the digit alone", DTMF_TYPE, "5", "5", 250],
    ["the digit alone, with a line end", DTMF_TYPE, " d\r\n", "D", 250],
    ["the digit alone, as event code", DTMF_TYPE, "11", "#", 250],
    ["the other type's lines", DTMF_TYPE, "Signal=5\r\nDuration=160", "5", 160],
  ])("reads %s", (...[, contentType, body, digit, durationMs]) => {
    expect(parseDtmfInfo(contentType, body)).toEqual({ digit, durationMs });
  });

  it.each([
    ["another media type", "text/plain", "5"],
    ["no media type", "", "5"],
    ["an empty body", RELAY, ""],
    ["an empty body of the other type", DTMF_TYPE, " \r\n"],
    ["the digit alone in relay", RELAY, "5"],
    ["no signal", RELAY, "Duration=160"],
    ["an empty signal", RELAY, "Signal=\r\nDuration=160"],
    ["flash", RELAY, "Signal=16\r\nDuration=160"],
    ["several digits", RELAY, "Signal=55\r\nDuration=160"],
    ["several digits of the other type", DTMF_TYPE, "123"],
    ["several signals", RELAY, "Signal=5\r\nSignal=6\r\nDuration=160"],
    ["a duration that is no number", RELAY, "Signal=5\r\nDuration=long"],
    ["an empty duration", RELAY, "Signal=5\r\nDuration="],
    ["a negative duration", RELAY, "Signal=5\r\nDuration=-5"],
    ["an absurd duration", RELAY, "Signal=5\r\nDuration=99999999"],
  ])("does not read %s", (_name, contentType, body) => {
    expect(parseDtmfInfo(contentType, body)).toBeUndefined();
  });

  it("throws for no body (property)", () => {
    const bodies = fc.string({
      unit: fc.constantFrom(...Array.from("Signal=\r\n 15*#Duration;x\0é")),
    });
    fc.assert(
      fc.property(fc.constantFrom(RELAY, DTMF_TYPE, "x"), bodies, (contentType, body) => {
        const { digit = "0", durationMs = 0 } = parseDtmfInfo(contentType, body) ?? {};

        expect(digit).toMatch(/^[0-9A-D*#]$/);
        expect(Number.isInteger(durationMs)).toBe(true);
      }),
    );
  });
});

describe("writeDtmfRelay", () => {
  it.each(Array.from("0123456789*#ABCD"))("is read as what was written: %s", (digit) => {
    expect(parseDtmfInfo(RELAY, writeDtmfRelay(digit, 160.4))).toEqual({ digit, durationMs: 160 });
    expect(parseDtmfInfo(DTMF_TYPE, writeDtmf(digit))).toEqual({ digit, durationMs: 250 });
  });

  it.each(["", "12", "x", "5\r\n"])("refuses %j", (digit) => {
    const refusal = expect.objectContaining({ code: "ERR_DIGIT_UNKNOWN" });

    expect(() => writeDtmfRelay(digit, 100)).toThrow(refusal);
    expect(() => writeDtmf(digit)).toThrow(refusal);
  });
});
