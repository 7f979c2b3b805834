/** `npm run reference` writes docs/reference/settings.md and its schema. A test fails if they are not as the sources say. */
import { writeFileSync } from "node:fs";
import { referenceFiles } from "./files.ts";

for (const [file, text] of Object.entries(referenceFiles())) writeFileSync(file, text);
