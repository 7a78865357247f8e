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
  // Failures are told at the end, where a cut record of a run still has them.
  reporter: "dot",
  // Time enough for a busy machine: only what never comes takes all of it.
  timeout: 120_000,
  expect: { timeout: 30_000 },
  use: { launchOptions: { executablePath, args: browserArguments } },
});
