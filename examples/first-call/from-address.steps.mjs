// A step of one's own. The caller of Sidetone's steps has the address 127.0.0.1 and reaches bots on
// this machine; this one has an address of your choice, and reaches what that address reaches.
import { When } from "@cucumber/cucumber";

const callers = new Map();

When("the caller dials the bot from the address {string}", async function (address) {
  const { harness } = await this.run();
  if (!callers.has(address)) {
    const local = { address, port: 0 };
    callers.set(address, await harness.addAgent({ party: "caller", user: "caller", local }));
  }
  const call = await callers.get(address).dial(this.requireTarget());
  if (!this.calls.includes(call)) this.calls.push(call);
});
