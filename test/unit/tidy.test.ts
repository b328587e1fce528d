import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";

// What no linter knows about this repository: that its documents and its code say the same.

const ROOT = join(import.meta.dirname, "..", "..");
const SKIPPED_FOLDERS = new Set([".git", "coverage", "dist", "node_modules", "reports"]);
const BANNED_FOLDERS = new Set(["common", "helpers", "misc", "shared", "types", "util", "utils"]);

const files = filesBelow(ROOT);
const productFiles = files.filter(
  (file) => /^(src|steps)\/.*\.ts$/.test(file) && !file.endsWith(".test.ts"),
);

describe("error codes", () => {
  // A prefix that a code is compared with is not a code.
  const used = codesIn(productFiles, /(?<!startsWith\()"(ERR_[A-Z0-9_]+)"/g);
  const documented = codesIn(["docs/errors.md"], /^### `(ERR_[A-Z0-9_]+)`$/gm);

  it("are all documented", () => {
    expect(used.filter((code) => !documented.includes(code))).toEqual([]);
  });

  it("are all in use", () => {
    expect(documented.filter((code) => !used.includes(code))).toEqual([]);
  });
});

describe("fixtures", () => {
  it("have their origin in fixtures/README.md or in a README.md of their folder", () => {
    const named = [...read("fixtures/README.md").matchAll(/^\| `([^`]+)`/gm)].map(
      ([, folder = ""]) => join("fixtures", folder),
    );

    const orphans = files
      .filter((file) => file.startsWith("fixtures/") && file !== "fixtures/README.md")
      .filter((file) => !files.includes(join(dirname(file), "README.md")))
      .filter((file) => !named.some((name) => file === name || file.startsWith(`${name}/`)));

    expect(orphans).toEqual([]);
  });
});

describe("sources", () => {
  it("name an issue in every note of something left to do", () => {
    // Written so that this line is not itself such a note.
    const mark = /\b(TO[D]O|FIX[M]E)\b(?!.*#\d+)/;
    const notes = files
      .filter((file) => /\.(ts|mjs|cjs|feature|ya?ml|sh)$/.test(file))
      .flatMap((file) =>
        read(file)
          .split("\n")
          .flatMap((line, index) => (mark.test(line) ? [`${file}:${index + 1}`] : [])),
      );

    expect(notes).toEqual([]);
  });

  it("live in folders named for what they are about", () => {
    const folders = files.flatMap((file) => dirname(file).split("/"));

    expect(folders.filter((folder) => BANNED_FOLDERS.has(folder))).toEqual([]);
  });
});

describe("documents", () => {
  it("announce what is not released yet", () => {
    expect(read("CHANGELOG.md")).toMatch(/^## \[?Unreleased\]?/m);
  });

  it("give a reason for every run-time dependency", () => {
    const { dependencies, peerDependencies } = JSON.parse(read("package.json")) as Manifest;
    const reasons = files.filter((file) => /^docs\/adr\/\d{4}-/.test(file)).map(titleOf);

    const unargued = [...Object.keys(dependencies), ...Object.keys(peerDependencies)].filter(
      (name) => !reasons.some((title) => title.includes(name.replace(/^@[^/]+\//, ""))),
    );

    expect(unargued).toEqual([]);
  });

  it("name every folder of src/ in the table of ARCHITECTURE.md", () => {
    const architecture = read("ARCHITECTURE.md");
    const folders = productFiles.flatMap((file) => /^src\/([^/]+)\//.exec(file)?.[1] ?? []);

    const missing = [...new Set(folders)].filter(
      (folder) => !architecture.includes(`| \`${folder}/\` |`),
    );

    expect(missing).toEqual([]);
  });

  it("link to files that exist", () => {
    const broken = files
      .filter((file) => file.endsWith(".md"))
      .flatMap((file) => localLinks(file).filter((target) => !existsSync(join(ROOT, target))));

    expect(broken).toEqual([]);
  });
});

describe("package-lock.json", () => {
  it("names the optional packages of every platform, else npm ci refuses it", () => {
    const { packages } = JSON.parse(read("package-lock.json")) as Lockfile;
    const wanted = Object.values(packages).flatMap((entry) =>
      Object.keys(entry.optionalDependencies ?? {}),
    );
    const present = new Set(
      Object.keys(packages).map((path) => path.split("node_modules/").at(-1)),
    );

    // Mended by: node scripts/complete-lockfile.mjs
    expect(wanted.filter((name) => !present.has(name))).toEqual([]);
  });
});

describe("bootstrap.mjs", () => {
  it("asks for the Node that package.json asks for", () => {
    const [, major, minor] = /MINIMUM_NODE = \[(\d+), (\d+)\]/.exec(read("bootstrap.mjs")) ?? [];

    expect((JSON.parse(read("package.json")) as Manifest).engines.node).toBe(`>=${major}.${minor}`);
  });
});

interface Manifest {
  readonly engines: { readonly node: string };
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

interface Lockfile {
  readonly packages: Readonly<
    Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>
  >;
}

/** Paths relative to the repository, with `/`. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED_FOLDERS.has(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return [relative(ROOT, path).replaceAll("\\", "/")];
  });
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}

function titleOf(file: string): string {
  return read(file).split("\n", 1)[0] ?? "";
}

function codesIn(paths: readonly string[], pattern: RegExp): string[] {
  const codes = paths.flatMap((path) =>
    [...read(path).matchAll(pattern)].map(([, code = ""]) => code),
  );
  return [...new Set(codes)].toSorted();
}

/** The files that a document links to, relative to the repository. */
function localLinks(file: string): string[] {
  const links = [...read(file).matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)/g)];
  return links.map(([, target = ""]) => join(dirname(file), target));
}
