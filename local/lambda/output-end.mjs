// @ts-check
// Plain JavaScript, as the runtime is. Both sides know the end of a request's output by this mark.

/**
 * Written to stdout and stderr after each request. Streams and messages come by different channels. So an answer is
 * passed on when both marks have come, and an instance's output always precedes its answer.
 * @param {string} requestId
 */
export const outputEnd = (requestId) => `\u0000end ${requestId}`;

/** In the place of a request id, for the output of the start. */
export const initRequestId = "init";
