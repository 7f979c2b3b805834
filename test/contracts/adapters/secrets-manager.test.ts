import { startStand } from "../../support/aws-stand.ts";
import { clientSecretsContract } from "../../support/contracts/client-secrets.ts";

clientSecretsContract("the stand-in", startStand);
