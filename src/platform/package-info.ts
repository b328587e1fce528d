import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** Where this package is installed, and which version it is. */
export interface PackageInfo {
  readonly root: string;
  readonly version: string;
}

/** Finds the package that holds this module, from the sources as from `dist`. */
export function packageInfo(): PackageInfo {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const manifest = join(folder, "package.json");
    if (existsSync(manifest)) {
      const { name, version } = JSON.parse(readFileSync(manifest, "utf8")) as {
        readonly name?: string;
        readonly version?: string;
      };
      if (name === "sidetone") return { root: folder, version: version ?? "0.0.0" };
    }
    const parent = dirname(folder);
    if (parent === folder) throw new Error("Bug: this module lies in no package.");
    folder = parent;
  }
}

/** A compiled module of this package, e.g. "src/cli/threads/agent-thread.js". */
export function compiledModule(path: string): URL {
  return pathToFileURL(join(packageInfo().root, "dist", path));
}

/** What runs us: "v20.20.2" and "linux x64". */
export function hostInfo(): { readonly node: string; readonly platform: string } {
  return { node: process.version, platform: `${process.platform} ${process.arch}` };
}
