/**
 * What `issue-token` is measured against: the least that any handler must do that serves the same token. The same
 * BatchGetItem, on a cold instance the same Decrypt, by the same SDK clients, and nothing else: nobody is authorised,
 * nothing is checked, no line is written.
 */
import { BatchGetItemCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DecryptCommand, KMSClient } from "@aws-sdk/client-kms";
import { clientLimits } from "../functions/adapters/aws-client.ts";

const { TABLE_NAME: table = "", BENCH_REQUEST = "{}" } = process.env;
/** The slot's key before the control item's, and what its token is sealed under. */
const { keys, encryptionContext } = JSON.parse(BENCH_REQUEST);
const dynamodb = new DynamoDBClient(clientLimits);
const kms = new KMSClient(clientLimits);
let token: string | undefined;

export const handler = async () => {
  const { Responses } = await dynamodb.send(
    new BatchGetItemCommand({ RequestItems: { [table]: { Keys: keys, ConsistentRead: true } } }),
  );
  const slot = Responses?.[table]?.find(({ sk }) => sk?.S === keys[0].sk.S);
  token ??= await decrypt(slot?.lease?.M?.sealed?.B);
  return { statusCode: 200, body: JSON.stringify({ access_token: token }) };
};

async function decrypt(sealed: Uint8Array | undefined): Promise<string> {
  const { Plaintext = new Uint8Array() } = await kms.send(
    new DecryptCommand({
      KeyId: process.env.SEALING_KEY_ARN,
      CiphertextBlob: sealed,
      EncryptionContext: encryptionContext,
    }),
  );
  return Buffer.from(Plaintext).toString("utf8");
}
