// Tells the test which key the embedded AI asked for, so that it can look for it in the report.
import { writeFileSync } from "node:fs";
import { After } from "@cucumber/cucumber";

After(function noteApiKey() {
  const file = process.env["SIDETONE_TEST_KEY_FILE"];
  if (file !== undefined) writeFileSync(file, this.bot.ai.apiKey);
});
