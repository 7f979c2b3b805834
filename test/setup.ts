// Shared by every suite; completed with the canary check.
export {};
