import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { html, jsonScript } from "./markup.ts";

describe("html", () => {
  it("escapes text, keeps markup, joins lists and leaves out what is missing", () => {
    const inner = html`<b>${"<&>"}</b>`;

    expect(html`<p title="${`"'`}">${[inner, 1, undefined, "x"]}</p>`.markup).toBe(
      `<p title="&quot;&#39;"><b>&lt;&amp;&gt;</b>1x</p>`,
    );
  });

  it("lets no text open a tag or leave an attribute", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(html`${text}`.markup).not.toMatch(/[<>"']/u);
      }),
    );
  });
});

describe("jsonScript", () => {
  it("gives back its data and never ends early", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom("</script>", "<!--", ""), (value, text) => {
        const { markup } = jsonScript("data", { value, text });
        const json = /^<script type="application\/json" id="data">(.*)<\/script>$/su.exec(
          markup,
        )?.[1];

        expect(json).not.toContain("<");
        expect(JSON.parse(json ?? "")).toEqual(JSON.parse(JSON.stringify({ value, text })));
      }),
    );
  });
});
