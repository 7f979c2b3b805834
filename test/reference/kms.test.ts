import { kmsContract } from "../contracts/kms.ts";
import { kmsSealerContract } from "../contracts/kms-sealer.ts";
import { startMotoStand } from "./moto.ts";

kmsContract("moto", startMotoStand);
kmsSealerContract("moto", startMotoStand);
