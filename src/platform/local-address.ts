import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";

/** Any port will do: nothing is sent, the host only looks up the route. */
const DISCARD_PORT = 9;

/**
 * Which address of this host packets to `remote` (numeric) leave from; `undefined` where there is
 * no route.
 */
export function localAddressTowards(remote: string): Promise<string | undefined> {
  const socket = createSocket(isIPv6(remote) ? "udp6" : "udp4");
  return new Promise((resolve) => {
    const finish = (address: string | undefined): void => {
      socket.close();
      resolve(address);
    };
    socket.once("error", () => finish(undefined));
    socket.connect(DISCARD_PORT, remote, () => finish(socket.address().address));
  });
}
