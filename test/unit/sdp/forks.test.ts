import { describe, expect, it } from "vitest";
import type { NegotiatedMedia } from "../../../src/sdp/index.ts";
import { bot, caller, negotiatedOf, srtp } from "./sides.ts";

describe("forks of one offer", () => {
  it("each answer it for itself, and go on from their own answer", () => {
    const side = caller();
    const [first, second] = [bot({ port: 50_000 }), bot({ port: 60_000 })];
    second.reconfigure({ codecs: ["G722"] });
    const announced: string[] = [];
    side.onNegotiated = (media) => announced.push(`${media.send.codecId} ${media.remote?.port}`);
    const offer = side.createOffer();
    const initial = side.save();

    side.acceptAnswer(first.acceptOffer(offer));
    const withFirst = side.save();
    side.restore(initial);
    side.acceptAnswer(second.acceptOffer(offer));
    side.restore(withFirst);

    expect(announced).toEqual(["PCMU 50000", "G722 60000", "PCMU 50000"]);
    // A re-offer to the first keeps the codec and the version that belong to it.
    first.acceptOffer(side.createOffer());
    expect(negotiatedOf(first).send.codecId).toBe("PCMU");
  });

  it("have keys of their own", () => {
    const side = caller({ srtp: srtp("required", 1) });
    const forks = [bot({ srtp: srtp("required", 2) }), bot({ srtp: srtp("required", 3) })];
    const agreed: NegotiatedMedia[] = [];
    side.onNegotiated = (media) => agreed.push(media);
    const offer = side.createOffer();
    const initial = side.save();

    for (const fork of forks) {
      side.restore(initial);
      side.acceptAnswer(fork.acceptOffer(offer));
    }

    expect(agreed).toHaveLength(2);
    expect(agreed[0]?.srtp?.receive).not.toEqual(agreed[1]?.srtp?.receive);
    expect(agreed[0]?.srtp?.send).toEqual(agreed[1]?.srtp?.send);
  });
});
