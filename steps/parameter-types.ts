import { defineParameterType } from "@cucumber/cucumber";

/** "1500 ms", "2 s" and "1.5 s", in milliseconds. */
defineParameterType({
  name: "duration",
  regexp: /\d+(?:\.\d+)? (?:ms|s)\b/u,
  transformer: (text: string): number => {
    const [amount, unit] = text.split(" ");
    return Number(amount) * (unit === "s" ? 1000 : 1);
  },
});
