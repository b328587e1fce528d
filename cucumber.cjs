// For `npx cucumber-js` in this repository; `sidetone run` does the same and makes the report.
module.exports = {
  default: {
    paths: ["features/**/*.feature"],
    import: ["dist/steps/index.js"],
    format: [
      "summary",
      ["junit", "reports/latest/junit.xml"],
      ["message", "reports/latest/messages.ndjson"],
      ["allure-cucumberjs/reporter", "reports/latest/allure-reporter.log"],
    ],
    formatOptions: { resultsDir: "reports/latest/allure-results" },
  },
};
