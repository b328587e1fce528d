// Loaded into a process with `node --import`: once a second it writes what keeps the event loop
// busy to the file SIDETONE_RESOURCES_FILE. The file is replaced, never seen half written.
import { renameSync, writeFileSync } from "node:fs";

const file = process.env.SIDETONE_RESOURCES_FILE;

function write() {
  writeFileSync(`${file}.new`, JSON.stringify(process.getActiveResourcesInfo()));
  renameSync(`${file}.new`, file);
}

write();
// Unreferenced, so that it does not count itself.
setInterval(write, 1000).unref();
