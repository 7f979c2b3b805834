/** The generated files of docs/reference by their paths in the project. */
import { settingsPage, settingsSchema } from "./settings.ts";

export const referenceFiles = (): Record<string, string> => ({
  "docs/reference/settings.md": settingsPage(),
  "docs/reference/settings.schema.json": `${JSON.stringify(settingsSchema(), null, 2)}\n`,
});
