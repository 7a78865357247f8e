import { defineConfig } from "@playwright/test";

import { browserArguments, executablePath } from "./kit.js";

export default defineConfig({
  testDir: ".",
  outputDir: "../../test-results",
  fullyParallel: true,
  forbidOnly: true,
  workers: 2,
  // A test that passes at the second try hides a loss that happens now and then.
  retries: 0,
  reporter: "line",
  timeout: 60_000,
  expect: { timeout: 10_000 },
  use: { launchOptions: { executablePath, args: browserArguments } },
});
