// Plain JavaScript, so that an old Node runs it far enough to say what it needs.
import { createRequire } from "node:module";

createRequire(import.meta.url)("../infra/need-node.cjs");
await import("./start.ts");
