/** A process's first token, by the module that is named; prints when it was begun, had imported, and had the token. */
const startMs = performance.now();
const { firstToken } = await import(process.argv[2]);
const importedMs = performance.now();
const token = await firstToken();
const tokenMs = performance.now();
if (typeof token !== "string") throw new Error("That is no token.");
console.log(JSON.stringify({ startMs, importedMs, tokenMs }));
