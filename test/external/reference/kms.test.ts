import { kmsContract } from "../../support/contracts/kms.ts";
import { kmsSealerContract } from "../../support/contracts/kms-sealer.ts";
import { startMotoStand } from "./moto.ts";

kmsContract("moto", startMotoStand);
kmsSealerContract("moto", startMotoStand);
