/** X.509 certificates for servers on loopback, made when they are needed: no private key lies in the repository. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

export interface CertificateOptions {
  /** DNS names and IPv4 addresses. */
  readonly names: readonly string[];
  /** Valid from a day before this on, until then; tomorrow unless told. */
  readonly validUntil?: Date;
  /** Signs itself without one. */
  readonly issuer?: Authority;
}

export interface Authority {
  readonly name: string;
  readonly key: KeyObject;
}

export interface Certificate {
  /** PEM, as `createServer` of `node:https` takes them. */
  readonly cert: string;
  readonly key: string;
  /** To sign others with. */
  readonly authority: Authority;
}

const dayMs = 86_400_000;

/** RFC 5280 §4.1, as little of it as a client needs. */
export function certificate({ names, validUntil, issuer }: CertificateOptions): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = names[0] ?? "";
  const until = validUntil ?? new Date(Date.now() + dayMs);
  const { name: issuerName, key: issuerKey } = issuer ?? { name, key: privateKey };
  const content = sequence(
    tagged(0, integer(Buffer.from([2]))),
    integer(randomBytes(8).map((byte, index) => (index === 0 ? (byte & 0x7f) | 0x40 : byte))),
    ecdsaWithSha256,
    distinguishedName(issuerName),
    sequence(time(new Date(until.getTime() - 2 * dayMs)), time(until)),
    distinguishedName(name),
    publicKey.export({ type: "spki", format: "der" }),
    tagged(3, sequence(...(issuer ? [] : [basicConstraints]), subjectAltName(names))),
  );
  const signature = sign("sha256", content, issuerKey);
  const der = sequence(content, ecdsaWithSha256, encoded(0x03, Buffer.from([0]), signature));
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    authority: { name, key: privateKey },
  };
}

function encoded(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...parts: readonly Uint8Array[]) => encoded(0x30, ...parts);
const integer = (bytes: Uint8Array) => encoded(0x02, bytes);
const octets = (content: Uint8Array) => encoded(0x04, content);
const identifier = (hex: string) => encoded(0x06, Buffer.from(hex, "hex"));
const tagged = (number: number, content: Uint8Array) => encoded(0xa0 + number, content);
const time = (at: Date) =>
  encoded(
    0x18,
    Buffer.from(
      `${at
        .toISOString()
        .replace(/\.\d{3}Z$/, "Z")
        .replace(/[-:T]/g, "")}`,
    ),
  );

/** 1.2.840.10045.4.3.2 */
const ecdsaWithSha256 = sequence(identifier("2a8648ce3d040302"));
/** 2.5.4.3, commonName */
const distinguishedName = (name: string) =>
  sequence(encoded(0x31, sequence(identifier("550403"), encoded(0x0c, Buffer.from(name)))));
/** 2.5.29.19: an authority. */
const basicConstraints = sequence(
  identifier("551d13"),
  encoded(0x01, Buffer.from([0xff])),
  octets(sequence(encoded(0x01, Buffer.from([0xff])))),
);
/** 2.5.29.17 */
const subjectAltName = (names: readonly string[]) =>
  sequence(
    identifier("551d11"),
    octets(
      sequence(
        ...names.map((name) =>
          /^[\d.]+$/.test(name)
            ? encoded(0x87, Buffer.from(name.split(".").map(Number)))
            : encoded(0x82, Buffer.from(name)),
        ),
      ),
    ),
  );
