/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
import { createHash, createHmac } from "node:crypto";

const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const hmac = (key, text) => createHmac("sha256", key).update(text).digest();

export async function firstToken() {
  const { env } = process;
  const url = new URL(`${env.LOOKER_BROKER_ENDPOINT}/scopes/sales/token`);
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  const scope = [time.slice(0, 8), env.AWS_REGION, "execute-api", "aws4_request"];
  const signed = { host: url.host, "x-amz-date": time, "x-amz-security-token": env.AWS_SESSION_TOKEN };
  const names = Object.keys(signed).join(";");
  const lines = Object.entries(signed).map(([name, value]) => `${name}:${value}\n`);
  const request = ["POST", url.pathname, "", lines.join(""), names, sha256("")].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", time, scope.join("/"), sha256(request)].join("\n");
  const signature = hmac(scope.reduce(hmac, `AWS4${env.AWS_SECRET_ACCESS_KEY}`), toSign).toString("hex");
  const credential = `${env.AWS_ACCESS_KEY_ID}/${scope.join("/")}`;
  const { host: _, ...headers } = signed;
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`;
  const response = await fetch(url, { method: "POST", headers });
  return (await response.json()).access_token;
}
