import { Given } from "@cucumber/cucumber";

Given("a step that waits for ever", { timeout: -1 }, () => new Promise(() => {}));
