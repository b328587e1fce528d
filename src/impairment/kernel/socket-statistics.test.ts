import { describe, expect, it } from "vitest";
import { parseSocketStatistics } from "./socket-statistics.ts";

/** What iproute2 6.1 printed on Linux 6.18. */
const PRINTED = `State Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess
ESTAB 0      2896       10.78.0.1:56544    10.78.0.2:8080 skmem:(r0,rb131072,t0,tb101376,f0,w0,o0,bl0,d0) ts sack cubic wscale:10,10 rto:232 rtt:28.229/12.079 ato:40 mss:1448 pmtu:1500 rcvmss:536 advmss:1448 cwnd:52 ssthresh:31 bytes_sent:60000 bytes_retrans:2896 bytes_acked:60001 bytes_received:36 segs_out:47 segs_in:20 data_segs_out:42 data_segs_in:4 send 21338623bps lastsnd:548 lastrcv:464 lastack:464 pacing_rate 42675920bps delivery_rate 4023088bps delivered:43 busy:112ms rwnd_limited:16ms(14.3%) unacked:3 retrans:0/2 notsent:1448 rcv_space:14480 rcv_ssthresh:64088 minrtt:21.045 snd_wnd:112640
LISTEN 0 511 10.78.0.1:8080 0.0.0.0:* skmem:(r0) cubic cwnd:10
TIME-WAIT 0 0 10.78.0.1:1 10.78.0.2:2
`;

describe("parseSocketStatistics", () => {
  it("reads what TCP_INFO says of each connection", () => {
    const [first, second, ...rest] = parseSocketStatistics(PRINTED);

    expect(first).toEqual({
      local: "10.78.0.1:56544",
      remote: "10.78.0.2:8080",
      congestionControl: "cubic",
      rttMs: 28.229,
      rttVarMs: 12.079,
      rtoMs: 232,
      cwndSegments: 52,
      ssthreshSegments: 31,
      mssBytes: 1448,
      unackedSegments: 3,
      retransmissions: 2,
      notSentBytes: 1448,
      deliveryBitsPerSecond: 4_023_088,
      windowLimitedMs: 16,
    });
    expect(second).toMatchObject({ remote: "10.78.0.2:2", retransmissions: 0, unackedSegments: 0 });
    expect(second?.rtoMs).toBeUndefined();
    expect(rest).toEqual([]);
  });

  it("reads nothing of nothing", () => {
    expect(parseSocketStatistics("")).toEqual([]);
  });
});
