// Opens a network of the kernel's own TCP. "hold": sends through it until it is killed; says "up"
// once bytes flow. "try": says "carried", or the code of the error that it got.
import { setTimeout as delay } from "node:timers/promises";
import { KernelNetwork } from "../../../dist/src/impairment/index.js";
import {
  compiledModule,
  NodeNamespaceHost,
  SystemClock,
} from "../../../dist/src/platform/index.js";

const [mode, congestionControl = "cubic"] = process.argv.slice(2);
const entry = compiledModule("src/cli/processes/namespace-process.js");
const host = new NodeNamespaceHost(new SystemClock(), entry);

async function carry() {
  const way = { delay: { delayMs: 5 } };
  const plan = { sent: way, received: way };
  const network = await KernelNetwork.open(host, { plan, seed: "child", congestionControl });
  const remote = { address: network.address("far"), port: 9 };
  const accepted = [];
  await network.far.listenStream(remote, {
    onConnection: (connection) => accepted.push(connection),
  });
  const near = await network.near.connectStream(remote, 10_000);
  const timer = setInterval(() => near.send(new Uint8Array(1000)), 5);
  while (accepted.length === 0) await delay(1);
  await new Promise((resolve) => {
    accepted[0].onData = resolve;
  });
  return { network, timer };
}

try {
  const { network, timer } = await carry();
  if (mode === "hold") {
    process.stdout.write("up\n");
  } else {
    clearInterval(timer);
    await network.close();
    process.stdout.write("carried\n");
  }
} catch (error) {
  process.stdout.write(`${error.code}: ${error.message}\n`);
  process.exitCode = 1;
}
