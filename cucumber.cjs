// For `npx cucumber-js` in this repository; `sidetone run` does the same and makes the report. It has
// a folder of its own: reports/latest is a link to the latest run of `sidetone run`.
const folder = "reports/cucumber";

module.exports = {
  default: {
    paths: ["features/**/*.feature"],
    import: ["dist/steps/index.js"],
    format: [
      "summary",
      ["junit", `${folder}/junit.xml`],
      ["message", `${folder}/messages.ndjson`],
      ["allure-cucumberjs/reporter", `${folder}/allure-reporter.log`],
    ],
    formatOptions: { resultsDir: `${folder}/allure-results` },
    worldParameters: { reportFolder: folder },
  },
};
