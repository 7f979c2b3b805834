// @ts-check
// Plain JavaScript, since the runtime is: it marks where the output of a request ends.

/**
 * Written to stdout and stderr after each request. Streams and messages come by different channels: an answer is
 * passed on when both marks have come, so that an instance's output always precedes its answer.
 * @param {string} requestId
 */
export const outputEnd = (requestId) => `\u0000end ${requestId}`;

/** The request id under which the output of the start ends. */
export const initRequestId = "init";
