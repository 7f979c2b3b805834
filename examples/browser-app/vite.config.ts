import { defineConfig } from "vite";

/** The ES modules of `@looker/sdk` 26.12 export types, which are gone after compilation. */
const rolldownOptions = { shimMissingExports: true };

export default defineConfig({
  build: { target: "es2022", rolldownOptions },
  optimizeDeps: { rolldownOptions },
});
