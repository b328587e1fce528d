import { describe, expect, it } from "vitest";
import { instant, seededRandom } from "../environment/index.ts";
import { ManualClock, VirtualNetwork } from "../testing/index.ts";
import { bindRtpPorts } from "./rtp-ports.ts";

function openNetwork() {
  const random = seededRandom("ports");
  return { random, network: new VirtualNetwork({ clock: new ManualClock(instant(0)), random }) };
}

describe("bindRtpPorts", () => {
  it("binds an even port for RTP and the odd one above it for RTCP", async () => {
    const { network, random } = openNetwork();
    const { rtp, rtcp } = await bindRtpPorts(network, random, {
      address: "10.0.0.1",
      withRtcp: true,
    });

    expect(rtp.local.port % 2).toBe(0);
    expect(rtcp?.local.port).toBe(rtp.local.port + 1);
  });

  it("uses every pair of a narrow range, passes what is taken by, and says when all are", async () => {
    const { network, random } = openNetwork();
    const range = { first: 4001, last: 4011 };
    const taken = await network.bindDatagram({ address: "10.0.0.1", port: 4005 });
    const options = { address: "10.0.0.1", range, withRtcp: true };

    const ports: number[] = [];
    for (let call = 0; call < 4; call += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other.
      ports.push((await bindRtpPorts(network, random, options)).rtp.local.port);
    }

    expect(ports.toSorted((left, right) => left - right)).toEqual([4002, 4006, 4008, 4010]);
    await expect(bindRtpPorts(network, random, options)).rejects.toMatchObject({
      code: "ERR_RTP_PORTS_EXHAUSTED",
    });
    await taken.close();
    expect((await bindRtpPorts(network, random, options)).rtp.local.port).toBe(4004);
  });

  it("says so at once where the range has no pair", async () => {
    const { network, random } = openNetwork();
    const range = { first: 4001, last: 4002 };
    await expect(
      bindRtpPorts(network, random, { address: "10.0.0.1", range, withRtcp: true }),
    ).rejects.toMatchObject({ code: "ERR_RTP_PORTS_EXHAUSTED" });
  });
});
