/** The colours of everything that we draw, light and dark as the reader's system is set. */
export const PALETTE = `
:root {
  color-scheme: light dark;
  --bg: #ffffff; --panel: #f6f7f9; --line: #d9dde3; --text: #1b2430; --muted: #5c6775;
  --accent: #1d5fa8; --caller: #2f6db5; --caller-soft: #2f6db522; --bot: #23806b;
  --bot-soft: #23806b22; --bracket: #9a5b00; --stop: #b3261e; --playhead: #d1342b;
  --pass: #1f7a43; --fail: #b3261e; --inconclusive: #8a6100; --unsupported: #5c6775;
  --broken: #7a3fa0;
  --part-0: #8aa4c2; --part-1: #4f7fb5; --part-2: #c58b2b; --part-3: #7d9c4b;
  --part-4: #a9a9b5; --part-5: #6c5b9e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --bg: #14181d; --panel: #1c2229; --line: #333c47; --text: #e4e8ed; --muted: #9aa5b1;
    --accent: #7db4ee; --caller: #74aef0; --caller-soft: #74aef02e; --bot: #5cc3a7;
    --bot-soft: #5cc3a72e; --bracket: #e2a64a; --stop: #f08a80; --playhead: #ff6b5e;
    --pass: #5fc98a; --fail: #f08a80; --inconclusive: #e2b45a; --unsupported: #9aa5b1;
    --broken: #c79be6;
    --part-0: #6f88a6; --part-1: #5b8fcb; --part-2: #d39c42; --part-3: #8fb05a;
    --part-4: #85858f; --part-5: #8d7cc2;
  }
}
`;
