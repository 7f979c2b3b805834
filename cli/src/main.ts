#!/usr/bin/env node
// By itself: with the modules behind the second import Node opens descriptors that look like inherited ones.
import "./inherited-descriptors.ts";

await import("./start.ts");
