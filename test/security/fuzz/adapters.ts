/** Stands in for the adapters of the entry files that are fuzzed: one warm broker in memory, which is emptied between events. */
import type * as dynamodb from "../../../functions/adapters/dynamodb-slot-table.ts";
import type * as kms from "../../../functions/adapters/kms-sealer.ts";
import type * as looker from "../../../functions/adapters/looker-api.ts";
import type * as secrets from "../../../functions/adapters/secrets-manager.ts";
import type * as system from "../../../functions/adapters/system.ts";
import { inMemoryBroker } from "../../support/fakes/in-memory-broker.ts";

export const broker = inMemoryBroker();

/** @public as are all here: the entry files import them (hooks.ts). */
export const systemClock: typeof system.systemClock = broker.clock;
/** @public */
export const randomIds: typeof system.randomIds = broker.first.ids;
/** @public */
export const dynamodbSlotTable: typeof dynamodb.dynamodbSlotTable = () => broker.table;
/** @public */
export const kmsSealer: typeof kms.kmsSealer = () => broker.sealer;
/** @public */
export const lookerApi: typeof looker.lookerApi = () =>
  Object.assign(broker.looker, { disconnect: () => {} });
/** @public */
export const secretsManager: typeof secrets.secretsManager = () => broker.first.secrets;
