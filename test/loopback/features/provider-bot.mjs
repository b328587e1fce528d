// A bot on a provider's AI, as docs/ai.md has it; for test/loopback/provider-bot.test.ts.
import { Given } from "@cucumber/cucumber";

Given("our concierge", async function () {
  const { harness } = await this.run();
  const bot = await harness.addAgent({
    party: "bot",
    user: "bot",
    local: { address: "127.0.0.1", port: 0 },
    answer: { kind: "answer", ringMs: 0 },
    ai: {
      provider: process.env.BOT_PROVIDER,
      url: process.env.BOT_URL,
      model: "some-model",
      greets: true,
      instructions: "You are the concierge of a hotel.",
      tokens: {
        from: "service",
        url: process.env.SIDETONE_TESTER_TOKENS,
        secret: process.env.SIDETONE_TOKENS_SECRET,
      },
    },
  });
  this.target = bot.uri;
});
