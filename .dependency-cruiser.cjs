// The import map of ARCHITECTURE.md as one table: folder → folders that it may import.
// Across folders only through index.ts.
const RING_0 = ["environment"];
const RING_1 = [
  "audio",
  "codec",
  "rtp",
  "sdp",
  "sip-syntax",
  "srtp",
  "timeline",
  "quality",
  "measure",
  "impairment",
];
const MAY_IMPORT = {
  environment: [],
  audio: [...RING_0],
  codec: [...RING_0, "audio"],
  rtp: [...RING_0],
  sdp: [...RING_0, "srtp"],
  "sip-syntax": [...RING_0],
  srtp: [...RING_0],
  timeline: [...RING_0],
  impairment: [...RING_0],
  quality: [...RING_0, "audio"],
  measure: [...RING_0, "audio", "timeline", "quality"],
  sip: [...RING_0, "sdp", "sip-syntax", "timeline"],
  media: [...RING_0, ...RING_1],
  bridge: [...RING_0, "audio", "codec", "timeline"],
  "ai-udp": [...RING_0, "audio", "codec", "rtp", "impairment", "media", "bridge"],
  "realtime-server": [...RING_0, "audio", "codec", "bridge"],
  tester: [...RING_0, "audio", "timeline", "measure", "bridge"],
  judge: [...RING_0, "timeline", "measure"],
  call: [...RING_0, ...RING_1, "sip", "media", "bridge", "ai-udp", "realtime-server", "tester"],
  expect: [...RING_0, ...RING_1, "tester", "judge", "call"],
  analysis: [...RING_0, "audio", "codec", "quality", "measure"],
  report: [...RING_0, "sip-syntax", "timeline", "measure", "audio", "analysis"],
  lab: [...RING_0, ...RING_1, "sip", "media", "bridge", "realtime-server", "call", "report"],
  platform: [...RING_0],
  virtual: [...RING_0, "platform"],
  testing: [...RING_0, ...RING_1, "virtual", "sip", "media", "bridge", "realtime-server"],
  cli: [
    ...RING_0,
    ...RING_1,
    "sip",
    "media",
    "bridge",
    "realtime-server",
    "tester",
    "call",
    "expect",
    "analysis",
    "report",
    "lab",
    "platform",
  ],
};

const folders = Object.keys(MAY_IMPORT);
const notTest = "\\.test\\.ts$";

const ringRules = folders.map((folder) => ({
  name: `${folder}-imports`,
  severity: "error",
  comment: `src/${folder} may import only: ${MAY_IMPORT[folder].join(", ") || "nothing"}.`,
  from: { path: `^src/${folder}/`, pathNot: notTest },
  to: {
    path: "^src/",
    pathNot: [
      `^src/${folder}/`,
      ...MAY_IMPORT[folder].map((name) => `^src/${name}/`),
      // The commands are built on the public API, like the steps.
      ...(folder === "cli" ? ["^src/index\\.ts$"] : []),
    ],
  },
}));

module.exports = {
  forbidden: [
    ...ringRules,
    {
      name: "through-the-door",
      severity: "error",
      comment: "Across folders only through the folder's index.ts.",
      from: { path: "^src/([^/]+)/", pathNot: notTest },
      to: { path: "^src/[^/]+/.+", pathNot: ["^src/$1/", "^src/[^/]+/index\\.ts$"] },
    },
    {
      name: "known-folders-only",
      severity: "error",
      from: {},
      to: { path: "^src/[^/]+/", pathNot: folders.map((name) => `^src/${name}/`) },
    },
    {
      name: "no-cycles",
      severity: "error",
      from: { path: "^(src|steps)" },
      to: { circular: true },
    },
    {
      name: "node-only-in-platform",
      severity: "error",
      from: { path: "^src/", pathNot: ["^src/(platform|cli)/", notTest] },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "sip-js-only-in-sip",
      severity: "error",
      from: { path: "^(src|steps)/", pathNot: "^src/sip/" },
      to: { path: "node_modules/sip\\.js" },
    },
    {
      name: "ws-only-in-platform",
      severity: "error",
      from: { path: "^(src|steps)/", pathNot: ["^src/platform/", notTest] },
      to: { path: "node_modules/ws/" },
    },
    {
      name: "steps-use-the-public-api",
      severity: "error",
      from: { path: "^steps/" },
      to: { path: "^src/", pathNot: "^src/index\\.ts$" },
    },
    {
      name: "no-doubles-in-product-code",
      severity: "error",
      from: { path: "^(src|steps)/", pathNot: ["^src/testing/", notTest] },
      to: { path: "^src/testing/" },
    },
    { name: "resolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "default"],
    },
  },
};
