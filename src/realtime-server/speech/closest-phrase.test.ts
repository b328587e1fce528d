import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { closestPhrase } from "./closest-phrase.ts";

const PHRASES = [
  { id: "breakfast", text: "What time is breakfast?" },
  { id: "hang-up", text: "Please hang up." },
  { id: "hotel", text: "Tell me about the hotel." },
];

describe("closestPhrase", () => {
  it.each([
    ["what time is breakfast", "breakfast"],
    ["Uh, what time is breakfast?", "breakfast"],
    ["what time's breakfast", "breakfast"],
    ["please hang up now", "hang-up"],
    ["tell me about a hotel", "hotel"],
  ])("takes %j for a phrase", (understood, id) => {
    expect(closestPhrase(understood, PHRASES).id).toBe(id);
  });

  it.each(["", "...", "please", "what is the weather like", "hotel breakfast time"])(
    "takes %j for none",
    (understood) => {
      expect(closestPhrase(understood, PHRASES).id).toBeUndefined();
    },
  );

  it("knows every phrase by its own words, with a score of 1 (property)", () => {
    const words = fc.array(fc.stringMatching(/^[a-z]{1,8}$/u), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(words, { minLength: 1, maxLength: 5 }), (texts) => {
        const phrases = texts.map((text) => ({ id: text.join(" "), text: text.join(" ") }));
        for (const { id, text } of phrases) {
          expect(closestPhrase(text.toUpperCase(), phrases)).toEqual({ id, score: 1 });
        }
      }),
    );
  });
});
