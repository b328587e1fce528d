// Makes the Allure site of the latest run. Only this needs Java; no other report does.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const RESULTS = "reports/latest/allure-results";
const SITE = "reports/latest/allure-report";
const EXIT_ENVIRONMENT = 3;

process.exitCode = main();

function main() {
  if (!existsSync(RESULTS)) {
    console.error(`There is no ${RESULTS}. Run \`npm start\` first; it writes the results.`);
    return EXIT_ENVIRONMENT;
  }
  const hasJava =
    process.env["JAVA_HOME"] !== undefined || spawnSync("java", ["-version"]).status === 0;
  if (!hasJava) {
    console.error(
      "Allure needs Java 8 or newer, and there is no `java` on the PATH and no JAVA_HOME. Install " +
        "one: `apt-get install default-jre-headless` (Debian, Ubuntu), `brew install openjdk` " +
        "(macOS), or https://adoptium.net. The HTML report needs none: reports/latest/index.html.",
    );
    return EXIT_ENVIRONMENT;
  }
  const { status } = spawnSync(
    process.execPath,
    ["node_modules/allure-commandline/bin/allure", "generate", "--clean", RESULTS, "-o", SITE],
    { stdio: "inherit" },
  );
  if (status === 0)
    console.log(`Allure site: ${SITE}/index.html (serve it; it loads its data by HTTP).`);
  return status ?? 1;
}
