export interface Reply {
  status: number;
  headers: Record<string, string>;
  body: string;
}

const DOCUMENTATION_URL = "http://docs.looker.com/";

/** Looker's error shape is `{message, documentation_url}`; these two messages are its own words. */
const MESSAGES: Record<number, string> = {
  400: "Bad Request",
  401: "Requires authentication.",
  403: "Forbidden",
  404: "Not found",
  409: "Conflict",
  413: "Payload Too Large",
  429: "Too Many Requests",
  500: "An error has occurred.",
  503: "Service Unavailable",
};

export function json(status: number, value: unknown): Reply {
  return {
    status,
    headers: { "content-type": "application/json;charset=utf-8" },
    body: JSON.stringify(value),
  };
}

export function lookerError(status: number, message = MESSAGES[status] ?? "Error"): Reply {
  return json(status, { message, documentation_url: DOCUMENTATION_URL });
}

/** 422, as documented for every call but login. */
export function validationError(field: string, code: string, message: string): Reply {
  return json(422, {
    message: "Validation Failed",
    errors: [{ field, code, message, documentation_url: DOCUMENTATION_URL }],
    documentation_url: DOCUMENTATION_URL,
  });
}

export function noContent(): Reply {
  return { status: 204, headers: {}, body: "" };
}

export function text(status: number, body: string): Reply {
  return { status, headers: { "content-type": "text/plain" }, body };
}

/** What a load balancer or proxy in between says by itself: no word of Looker's in it. */
export function proxyPage(status: number, reason: string): Reply {
  return {
    status,
    headers: { "content-type": "text/html" },
    body: `<html><head><title>${status} ${reason}</title></head><body><h1>${status} ${reason}</h1></body></html>`,
  };
}
