import { createHash, createHmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";

/** As much of a hash as the signer needs. */
class Sha256 {
  #hash;
  constructor(key) {
    this.#hash = key === undefined ? createHash("sha256") : createHmac("sha256", key);
  }
  update(data) {
    this.#hash.update(data);
  }
  async digest() {
    return this.#hash.digest();
  }
}

export async function firstToken() {
  const { env } = process;
  const url = new URL(`${env.LOOKER_BROKER_ENDPOINT}/scopes/sales/token`);
  const signer = new SignatureV4({
    service: "execute-api",
    region: env.AWS_REGION,
    credentials: {
      accessKeyId: env.AWS_ACCESS_KEY_ID,
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
      sessionToken: env.AWS_SESSION_TOKEN,
    },
    sha256: Sha256,
    applyChecksum: false,
  });
  const { headers } = await signer.sign({
    method: "POST",
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    headers: { host: url.host },
  });
  const response = await fetch(url, { method: "POST", headers });
  return (await response.json()).access_token;
}
