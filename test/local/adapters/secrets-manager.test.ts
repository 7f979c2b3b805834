import { clientSecretsContract } from "../../contracts/client-secrets.ts";
import { startStand } from "../aws/stand.ts";

clientSecretsContract("the stand-in", startStand);
